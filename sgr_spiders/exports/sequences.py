"""Playlists as text: one line per playlist, with its track IDs in order, separated by spaces.

``gensim.models.word2vec.LineSentence`` reads it. Tracks held out from the owner of a playlist are excluded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.exports.resource import Resource

if TYPE_CHECKING:
    from sgr_spiders.embeddings.preparation import TrainingData
    from sgr_spiders.exports.package import Package


def write(data: TrainingData, package: Package) -> None:
    """Write the lines, and the playlist ID of each line."""
    playlists = data.playlists
    with package.path("playlists.txt").open("w", encoding="ascii", newline="\n") as file:
        file.writelines(" ".join(map(str, tracks.tolist())) + "\n" for tracks in playlists)
    package.add(Resource("playlists.txt", "Track IDs, one line per playlist", rows=len(playlists)))
    np.save(package.path("playlist_ids.npy"), playlists.ids)
    meaning = "The playlist of each line of playlists.txt"
    package.add(Resource("playlist_ids.npy", meaning, shape=playlists.ids.shape))
