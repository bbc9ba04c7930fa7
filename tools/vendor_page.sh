#!/bin/sh
# The libraries of the studio's page, from npm -> src/headstart/studio/page/vendor. Run it to update them:
#   sh tools/vendor_page.sh
# They are the ES modules as npm ships them. One thing is changed: modules are imported by their address (`./preact.js`)
# instead of their name (`preact`), as a browser without a bundler, under a policy without inline scripts, needs it.
set -eu
to=$(cd "$(dirname "$0")/../src/headstart/studio/page/vendor" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fetch() { # package@version -> folder
  mkdir "$2" && tar xzf "$(npm pack --silent "$1")" -C "$2" --strip-components=1
}
module() { # file -> name in vendor/
  sed -E -e 's#from ?"preact/hooks"#from"./hooks.js"#g' -e 's#from ?"preact"#from"./preact.js"#g' \
    -e 's#from ?"@preact/signals-core"#from"./signals-core.js"#g' -e 's#from ?"htm"#from"./htm.js"#g' \
    -e '/^\/\/# sourceMappingURL=/d' "$1" > "$to/$2"
}

fetch preact@11.2.0 preact
fetch @preact/signals-core@1.14.5 signals-core
fetch @preact/signals@2.11.4 signals
fetch htm@3.1.1 htm
fetch uplot@1.6.32 uplot
fetch @fontsource-variable/inter@5.3.0 inter

module preact/dist/preact.mjs preact.js
module preact/hooks/dist/hooks.mjs hooks.js
module signals-core/dist/signals-core.mjs signals-core.js
module signals/dist/signals.mjs signals.js
module htm/dist/htm.mjs htm.js
module htm/preact/index.mjs htm-preact.js
module uplot/dist/uPlot.esm.js uPlot.js
cp uplot/dist/uPlot.min.css "$to/uPlot.css"
cp inter/files/inter-latin-wght-normal.woff2 "$to/inter.woff2"
for name in preact htm uplot inter; do cp "$name/LICENSE" "$to/LICENSE-$name.txt"; done
cp signals/LICENSE "$to/LICENSE-signals.txt"
