#!/bin/sh
# ONNX Runtime Web, from npm -> src/headstart/export/page/vendor. Run it to update it:
#   sh tools/vendor_runtime.sh
# The module has the glue of its WebAssembly inside, and needs one file besides. That one is compressed, as it is a
# quarter of its size so; an export unpacks it. npm's package names its licence, but holds neither that nor the notices
# of what it contains: they are those of the Python package `onnxruntime`, of the same project.
set -eu
version=1.30.0
integrity=sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==
to=$(cd "$(dirname "$0")/../src/headstart/export/page/vendor" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

archive=$(npm pack --silent "onnxruntime-web@$version")
found=sha512-$(openssl dgst -sha512 -binary "$archive" | base64 -w0)
[ "$found" = "$integrity" ] || { echo "$archive is another one: $found" >&2; exit 1; }
tar xzf "$archive"
sed '/^\/\/# sourceMappingURL=/d' package/dist/ort.wasm.bundle.min.mjs > "$to/onnxruntime.js"
xz --keep --stdout -9e package/dist/ort-wasm-simd-threaded.wasm > "$to/onnxruntime.wasm.xz"

pip download --quiet --no-deps --only-binary :all: "onnxruntime==$version"
unzip -q -j onnxruntime-*.whl 'onnxruntime/LICENSE' 'onnxruntime/ThirdPartyNotices.txt'
cp LICENSE "$to/LICENSE-onnxruntime.txt"
xz --stdout -9e ThirdPartyNotices.txt > "$to/NOTICES-onnxruntime.txt.xz"
