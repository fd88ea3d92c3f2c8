#!/usr/bin/env bash
# Builds what is released into the folder $1: the program for an old glibc, the Debian package, and their checksums. The
# same commit and the same Rust give the same bytes, wherever they are built. `make dist` runs this.
set -euo pipefail
umask 022
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=$(realpath -m "$1")
target=x86_64-unknown-linux-gnu
# The oldest glibc that Rust itself supports. The C parts (SQLite, zstd, mimalloc, ring) need nothing newer.
glibc=2.17

fail() {
	echo "$*" >&2
	exit 1
}

export LC_ALL=C
# No path of this machine goes into the program.
export PROJECT=$PWD CARGO_HOME=${CARGO_HOME:-$HOME/.cargo} RUSTC_WRAPPER=$PWD/deploy/rustc.sh
export CFLAGS="-ffile-prefix-map=$CARGO_HOME=/cargo -ffile-prefix-map=$CARGO_TARGET_DIR=/target"
# The caller's own would make other bytes.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS RUSTC_WORKSPACE_WRAPPER
# What the C parts take for the present moment. Not that of the commit: cargo would build them again for every commit, and
# Polars with them.
export SOURCE_DATE_EPOCH=0
# zig's usual cache does not look at that moment, and may hold what another was built with.
export ZIG_GLOBAL_CACHE_DIR=$CARGO_TARGET_DIR/zig ZIG_LOCAL_CACHE_DIR=$CARGO_TARGET_DIR/zig
cargo zigbuild --locked --release --features spark --bin tieout --target $target.$glibc

built=$CARGO_TARGET_DIR/$target/release
program=$built/tieout
newest=$(readelf --wide --version-info "$program" | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1)
[ "$(printf '%s\n' "$newest" GLIBC_$glibc | sort -V | tail -n 1)" = GLIBC_$glibc ] || fail "$program needs $newest"
! readelf --wide --sections "$program" | grep -qE '\.symtab|\.debug' || fail "$program is not stripped"
for path in "$HOME/." "$CARGO_HOME/" "$PWD/" "$CARGO_TARGET_DIR/"; do
	! grep -qaF "$path" "$program" || fail "$program names $path"
done

SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
# What cargo-deb adds to the package, as Cargo.toml lists it.
parts=$built/parts
rm -rf "$parts"
mkdir -p "$parts"
"$program" man --lang en "$parts/man"
"$program" man --lang zh-CN "$parts/man-zh-CN"
for shell in bash zsh fish; do
	"$program" completions --lang en $shell >"$parts/tieout.$shell"
done
"$program" init --lang en "$parts/tieout.toml" >"$parts/log"
gzip -9n "$parts"/man*/*.1

rm -rf "$out"
mkdir -p "$out"
version=$(cargo pkgid | sed 's/.*[#@]//')
cp "$program" "$out/tieout-$version-x86_64-linux-gnu"
cargo deb --quiet --no-build --no-strip --target $target --output "$out/tieout_${version}_amd64.deb"
cd "$out"
sha256sum tieout* >SHA256SUMS
echo "needs $newest"
ls -l "$out"
cat SHA256SUMS
