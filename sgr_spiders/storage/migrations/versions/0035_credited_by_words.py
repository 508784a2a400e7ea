"""The view credited_artists by whole words, and with the uploader only as the maker of a version."""

from alembic import op

revision = "0035"
down_revision = "0034"

CREDITED_ARTISTS = """
CREATE VIEW credited_artists AS
WITH known AS (
    SELECT tracks.track_id AS track_id, tracks.artist_id AS artist_id,
           nullif(trim(users.username), '') AS uploader,
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
    SELECT parts.*, {find}({marked}, '|') AS guest, trim({uploader_words}) AS maker,
           ' ' || {rest_words} || ' ' AS words
    FROM parts
), makers AS (
    SELECT marks.*, CASE WHEN guest > 0 THEN trim(substr(head, 1, guest - 1)) ELSE trim(head) END AS main,
           CASE WHEN maker <> '' AND {find}(words, ' ' || maker || ' ') > 0
                THEN substr(words, {find}(words, ' ' || maker || ' ') + length(maker) + 1) || ')'
                ELSE ')' END AS after
    FROM marks
), versions AS (
    SELECT makers.*, substr(after, 1, {find}(after, ')') - 1) || ' ' AS version FROM makers
), sources AS (
    SELECT versions.*,
           CASE WHEN metadata <> '' THEN 'metadata'
                WHEN trim(main, '0123456789 .#') <> '' AND uploader IS NOT NULL
                     AND {main} <> {uploader} AND NOT ({is_version}) THEN 'title'
                ELSE 'uploader' END AS source
    FROM versions
), credited AS (
    SELECT sources.*,
           CASE source WHEN 'metadata' THEN metadata WHEN 'title' THEN main ELSE uploader END AS name
    FROM sources
)
SELECT track_id, artist_id, name AS credited_artist, source,
       CASE WHEN uploader IS NULL OR {name} = {uploader} THEN 0 ELSE 1 END AS credits_other
FROM credited
"""
VERSIONS = ("remix", "edit", "bootleg", "flip", "rework", "vip", "cover", "mix")


def upgrade() -> None:
    """Recreate the view. Letter case is that of ASCII on both databases."""
    on_server = op.get_bind().dialect.name == "postgresql"
    find = "strpos" if on_server else "instr"
    case = 'lower({} COLLATE "C")' if on_server else "lower({})"
    columns = {name: case.format(name) for name in ("head", "rest", "main", "uploader", "name")}
    # As long as the head, so that positions are the same; a guest follows the sign `|`.
    marked = _replace(columns["head"], dict.fromkeys("()[].|", " "))
    marked = _replace(f"{marked} || ' '", {f" {mark} ": f"|{mark} " for mark in ("featuring", "feat", "ft")})
    # Punctuation ends a word; a bracket also ends a version.
    ends = dict.fromkeys((",", ".", "''", "\u2019"), " ") | dict.fromkeys("()[]", " ) ")
    words = {f"{name}_words": _replace(columns[name], ends) for name in ("uploader", "rest")}
    is_version = " OR ".join(f"{find}(version, ' {word} ') > 0" for word in VERSIONS)
    op.execute("DROP VIEW credited_artists")
    op.execute(CREDITED_ARTISTS.format(find=find, marked=marked, is_version=is_version, **columns, **words))


def _replace(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        text = f"replace({text}, '{old}', '{new}')"
    return text
