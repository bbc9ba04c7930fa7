"""A few labels and the neighbours of photos -> probable labels of the other photos, which may help to solve a head.

Labels spread to neighbours, and from these on (D. Zhou et al., Learning with local and global consistency, NIPS 2003).
A probable label counts less than a label, and the less, the less sure it is (A. Iscen et al., Label propagation for
deep semi-supervised learning, CVPR 2019). Whether they help, only cross-validation can tell: here it is not known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix

from headstart.array_types import Float32, Int64
from headstart.studio.neighbourhood import Neighbourhood

SPREADING = 0.8  # share of what a photo takes from its neighbours, and not from its own label
SHARPNESS = 4  # power of the cosines: neighbours that are more similar count more
STEPS = 30  # after which a change is a thousandth


@dataclass(frozen=True, eq=False)
class Spreading:
    """graph: (m, m), how similar neighbours are, as in a normalized Laplacian."""

    graph: csr_matrix

    @classmethod
    def over(cls, neighbourhood: Neighbourhood, photos: Int64[np.ndarray, " m"]) -> Spreading:
        """photos: those that have a label, or wait for one; ascending."""
        place = np.full(len(neighbourhood) + 1, -1)  # the last for a neighbour that is none
        place[photos] = np.arange(len(photos))
        columns = place[neighbourhood.neighbours[photos]]
        rows = np.broadcast_to(np.arange(len(photos))[:, None], columns.shape)
        near = (columns >= 0) & (neighbourhood.similarities[photos] > 0)
        values = neighbourhood.similarities[photos][near].astype(np.float64) ** SHARPNESS
        graph = coo_matrix((values, (rows[near], columns[near])), shape=(len(photos), len(photos))).tocsr()
        graph = graph.maximum(graph.T).tocoo()
        degrees = np.maximum(np.asarray(graph.sum(axis=1)).ravel(), 1e-12)
        graph.data /= np.sqrt(degrees[graph.row] * degrees[graph.col])
        return cls(graph.tocsr())

    def pseudo_labels(
        self, labels: Int64[np.ndarray, " m"]
    ) -> tuple[Int64[np.ndarray, " m"], Float32[np.ndarray, " m"]]:
        """labels: of these photos, below 0 where there is none.

        Returns:
            the labels, and for the other photos the most probable one; and how sure each is, 0 to 1: 1 for labels, 0
            where no label has come.
        """
        classes = np.unique(labels[labels >= 0])
        given = (labels[:, None] == classes).astype(np.float64)
        found = given
        for _ in range(STEPS):
            found = SPREADING * (self.graph @ found) + (1 - SPREADING) * given
        total = found.sum(axis=1, keepdims=True)
        shares = np.divide(found, total, out=np.zeros_like(found), where=total > 0)
        entropy = -(shares * np.log(np.maximum(shares, 1e-12))).sum(axis=1)
        sure = np.where(total[:, 0] > 0, 1 - entropy / np.log(max(len(classes), 2)), 0.0)
        probable = np.where(labels < 0, classes[shares.argmax(axis=1)], labels)
        return probable, np.where(labels < 0, np.clip(sure, 0, 1), 1.0).astype(np.float32)
