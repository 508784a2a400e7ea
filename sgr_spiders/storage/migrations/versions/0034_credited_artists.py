"""The view credited_artists: the artist that each track credits."""

from alembic import op

revision = "0034"
down_revision = "0033"

CREDITED_ARTISTS = """
CREATE VIEW credited_artists AS
WITH known AS (
    SELECT tracks.track_id AS track_id, tracks.artist_id AS artist_id, users.username AS uploader,
           trim(coalesce(tracks.metadata_artist, '')) AS metadata,
           replace(replace(coalesce(tracks.title, ''), ' \u2013 ', ' - '), ' \u2014 ', ' - ') AS title
    FROM tracks LEFT JOIN users ON users.user_id = tracks.artist_id
), dashes AS (
    SELECT known.*, {find}(title, ' - ') AS dash FROM known
), parts AS (
    SELECT dashes.*,
           CASE WHEN dash > 0 THEN substr(title, 1, dash - 1) ELSE '' END AS head,
           CASE WHEN dash > 0 THEN substr(title, dash + 3) ELSE '' END AS rest
    FROM dashes
), marks AS (
    SELECT parts.*, replace(replace({head}, '(', ' '), '[', ' ') AS plain FROM parts
), guests AS (
    SELECT marks.*,
           CASE WHEN {find}(plain, ' feat') > 0 THEN {find}(plain, ' feat')
                WHEN {find}(plain, ' ft.') > 0 THEN {find}(plain, ' ft.')
                ELSE length(head) + 1 END AS guest
    FROM marks
), names AS (
    SELECT guests.*, trim(substr(head, 1, guest - 1)) AS main FROM guests
), sources AS (
    SELECT names.*,
           CASE WHEN metadata <> '' THEN 'metadata'
                WHEN trim(main, '0123456789 .#') <> '' AND uploader IS NOT NULL
                     AND {main} <> {uploader} AND {find}({rest}, {uploader}) = 0 THEN 'title'
                ELSE 'uploader' END AS source
    FROM names
), credited AS (
    SELECT sources.*,
           CASE source WHEN 'metadata' THEN metadata WHEN 'title' THEN main ELSE uploader END AS name
    FROM sources
)
SELECT track_id, artist_id, name AS credited_artist, source,
       CASE WHEN uploader IS NULL OR {name} = {uploader} THEN 0 ELSE 1 END AS credits_other
FROM credited
"""


def upgrade() -> None:
    """Create the view. Letter case is that of ASCII on both databases."""
    on_server = op.get_bind().dialect.name == "postgresql"
    case = 'lower({} COLLATE "C")' if on_server else "lower({})"
    columns = {name: case.format(name) for name in ("head", "main", "rest", "uploader", "name")}
    op.execute(CREDITED_ARTISTS.format(find="strpos" if on_server else "instr", **columns))
