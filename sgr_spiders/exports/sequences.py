"""Playlists as text: a line a playlist, the ids of its tracks in its order, separated by spaces.

``gensim.models.word2vec.LineSentence`` reads it. What is held out of a playlist's owner is not in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.exports.resource import Resource

if TYPE_CHECKING:
    from sgr_spiders.embeddings.preparation import Prepared
    from sgr_spiders.exports.package import Package


def write(prepared: Prepared, package: Package) -> None:
    """Write the lines, and which playlist each of them is."""
    playlists = prepared.playlists
    with package.path("playlists.txt").open("w", encoding="ascii", newline="\n") as file:
        file.writelines(" ".join(map(str, tracks.tolist())) + "\n" for tracks in playlists)
    package.add(Resource("playlists.txt", "Track ids, a line a playlist", rows=len(playlists)))
    np.save(package.path("playlist_ids.npy"), playlists.ids)
    meaning = "The playlist of each line of playlists.txt"
    package.add(Resource("playlist_ids.npy", meaning, shape=playlists.ids.shape))
