#!/bin/sh
# rustc, as cargo calls it (RUSTC_WRAPPER), but without the paths of this machine in what it makes. In RUSTFLAGS they would
# miss build scripts and macros, whose hashes go into what depends on them.
exec "$@" "--remap-path-prefix=$PROJECT=/tieout" "--remap-path-prefix=$CARGO_HOME=/cargo" \
	"--remap-path-prefix=$CARGO_TARGET_DIR=/target"
