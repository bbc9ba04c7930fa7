"""Photos that are nobody's: bolts, nuts, screws and washers on a bench, rendered. For pictures of the documentation.

    python benchmarks/drawn_parts.py FOLDER [--each 60] [--seed 0] [--wrong 6]

Writes FOLDER/CLASS/NUMBER.jpg, of 240 x 240 pixels; `--wrong` photos lie in the folder of another class. Shapes are
signed distances, seen by marching along the rays (J. Hart, Sphere tracing, The Visual Computer 12, 1996).
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

SIDE = 240
STEPS = 48
METALS = ((0.78, 0.79, 0.81), (0.80, 0.66, 0.36), (0.30, 0.31, 0.33), (0.72, 0.45, 0.33))  # steel, brass, black, copper
BENCHES = ((0.55, 0.42, 0.30), (0.42, 0.46, 0.50), (0.83, 0.82, 0.78), (0.24, 0.33, 0.30), (0.60, 0.62, 0.58))
Points = np.ndarray  # (n, 3)
Distance = Callable[[Points], np.ndarray]


def hexagon(across: np.ndarray, radius: float) -> np.ndarray:
    """Distance of points (n, 2) from a hexagon."""
    x, y = np.abs(across).T
    return np.maximum(x * 0.866 + y * 0.5, y) - radius


def washer(p: Points) -> np.ndarray:
    r = np.hypot(p[:, 0], p[:, 1])
    return np.maximum(np.maximum(r - 0.62, 0.30 - r), np.abs(p[:, 2] - 0.06) - 0.06)


def nut(p: Points) -> np.ndarray:
    r = np.hypot(p[:, 0], p[:, 1])
    body = np.maximum(hexagon(p[:, :2], 0.52), np.abs(p[:, 2] - 0.2) - 0.2)
    thread = 0.27 + 0.015 * np.sin(60 * p[:, 2])
    return np.maximum(body, thread - r) * 0.8


def bolt(p: Points) -> np.ndarray:
    """Lies on its side, along x."""
    across = p[:, 1:] - [0, 0.3]
    head = np.maximum(hexagon(across, 0.3), np.abs(p[:, 0] + 0.68) - 0.13)
    thread = 0.16 + 0.012 * np.sin(70 * p[:, 0]) * (p[:, 0] > -0.1)
    shaft = np.maximum(np.hypot(*across.T) - thread, np.abs(p[:, 0] - 0.1) - 0.68)
    return np.minimum(head, shaft) * 0.7


def screw(p: Points) -> np.ndarray:
    """As a bolt, but with a round head, and pointed."""
    across = p[:, 1:] - [0, 0.26]
    r = np.hypot(*across.T)
    head = np.maximum(np.sqrt(((p - [-0.55, 0, 0.26]) ** 2).sum(axis=1)) - 0.27, p[:, 0] + 0.55)
    taper = np.clip((0.85 - p[:, 0]) * 0.5, 0, 0.13)
    shaft = np.maximum(r - taper - 0.02 * np.sin(45 * p[:, 0]), np.abs(p[:, 0] - 0.15) - 0.7)
    return np.minimum(head, shaft) * 0.6


SHAPES: dict[str, Distance] = {"bolts": bolt, "nuts": nut, "screws": screw, "washers": washer}


def photo(shape: Distance, rng: np.random.Generator) -> np.ndarray:
    """BGR, 8 bits."""
    turn, tilt, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.75), rng.uniform(2.4, 5.0)
    shift = np.append(rng.uniform(-0.2, 0.2, 2), 0)
    eye = far * np.array([0, -np.sin(tilt), np.cos(tilt)])
    forward = -eye / far
    right, up = np.array([1.0, 0, 0]), np.cross([1.0, 0, 0], forward)
    y, x = np.mgrid[1 : -1 : SIDE * 1j, -1 : 1 : SIDE * 1j].reshape(2, -1)
    rays = forward + 0.45 * (x[:, None] * right + y[:, None] * up)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    spin = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])

    def part(points: Points) -> np.ndarray:
        return shape((points - shift) @ spin)

    def scene(points: Points) -> np.ndarray:
        return np.minimum(part(points), points[:, 2])

    along = np.zeros(len(rays))
    for _ in range(STEPS):
        along += scene(eye + along[:, None] * rays)
    points = eye + along[:, None] * rays
    is_part = part(points) < points[:, 2]
    small = 2e-3
    normals = np.stack([scene(points + small * axis) - scene(points - small * axis) for axis in np.eye(3)], axis=1)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    light = np.array([rng.uniform(-0.8, 0.8), rng.uniform(-0.6, 0.8), rng.uniform(0.6, 1.2)])
    light /= np.linalg.norm(light)
    open_sky = np.ones(len(points))  # how much of the light arrives
    for distance in (0.03, 0.07, 0.13, 0.22, 0.35, 0.5):
        near = scene(points + normals * 0.01 + light * distance)
        open_sky = np.minimum(open_sky, np.clip(6 * near / distance, 0, 1))
    metal, bench = (np.array(table[rng.integers(len(table))]) for table in (METALS, BENCHES))
    bench = bench * (1 + 0.08 * np.sin(points[:, :1] * rng.uniform(3, 30) + 3 * np.sin(points[:, 1:2] * 2)))
    colour = np.where(is_part[:, None], metal, bench)
    lit = 0.25 + 0.85 * np.clip(normals @ light, 0, 1) * open_sky
    mirrored = rays - 2 * (rays * normals).sum(axis=1, keepdims=True) * normals
    shine = np.where(is_part, np.clip(mirrored @ light, 0, 1) ** 24 * open_sky, 0)
    picture = (colour * lit[:, None] + 0.7 * shine[:, None]) * rng.uniform(0.4, 1.15)
    picture += rng.normal(0, rng.uniform(0.005, 0.07), picture.shape)
    picture = cv2.GaussianBlur(picture.reshape(SIDE, SIDE, 3), (0, 0), rng.uniform(0.4, 2.6))
    return (255 * np.clip(picture[..., ::-1], 0, 1) ** 0.8).astype(np.uint8)


def draw(folder: Path, each: int, seed: int, wrong: int) -> None:
    rng = np.random.default_rng(seed)
    names = list(SHAPES)
    misplaced = set(rng.choice(each * len(names), wrong, replace=False).tolist())
    for number in range(each * len(names)):
        place = number % len(names)
        stored = names[(place + 1 + rng.integers(len(names) - 1)) % len(names) if number in misplaced else place]
        (folder / stored).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / stored / f"IMG_{number:04}.jpg"), photo(SHAPES[names[place]], rng))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--each", type=int, default=60, help="photos of each class")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--wrong", type=int, default=6, help="photos in the folder of another class")
    options = parser.parse_args()
    draw(options.folder, options.each, options.seed, options.wrong)
