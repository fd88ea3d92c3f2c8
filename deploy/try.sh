#!/usr/bin/env bash
# Tries what `make dist` put into the folder $1, in a Debian root that has nothing else ($2: its suite, bookworm): the
# package is installed and reconciles the sample. Then makes container.tar of that root, and tries it the same way. What
# is tried has no compiler and no network. This script itself needs root, and a network for debootstrap. `make dist-try`
# runs it.
set -euo pipefail
umask 022
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=$(realpath "$1")
suite=${2:-bookworm}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

fail() {
	echo "$*" >&2
	exit 1
}

# inside ROOT USER:GROUP COMMAND...: runs a command in a root, with no network but a loopback of its own.
inside() {
	local root=$1 user=$2
	shift 2
	unshare --net --pid --fork --mount-proc="$root/proc" bash -c 'ip link set lo up && exec \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot --userspec="$0" --groups= "$@"' "$user" "$root" "$@"
}

# reconciles ROOT USER:GROUP IDS FOLDER: there, the program makes the same sample as in reports/ within 30 s, and its
# manifest names the program that was built.
reconciles() {
	local root=$1 user=$2 ids=$3 report=$4/report began=$EPOCHREALTIME status=0
	inside "$root" "$user" /usr/bin/tieout reconcile "$ids" --sandbox --lang en --format html,xlsx,focus \
		--as-of 2026-06-01T00:00:00Z --out "$report" --state "$4/state.sqlite" -q || status=$?
	local took=$(((${EPOCHREALTIME/./} - ${began/./}) / 1000))
	# The sandbox plants discrepancies.
	[ $status = 1 ] || fail "reconcile ended with $status"
	[ $took -lt 30000 ] || fail "reconcile took $took ms"
	diff -r --exclude manifest.json reports/sample "$root$report"
	grep -q "\"tieout_sha256\": \"$program\"" "$root$report/manifest.json" || fail "the manifest names another program"
	grep -q "\"tieout_commit\": \"$commit" "$root$report/manifest.json" || fail "the manifest names another commit"
	inside "$root" "$user" /usr/bin/tieout verify "$report" --state "$4/state.sqlite" >"$work/proof" || fail "not proven"
	echo "the sample took $took ms, and is proven"
}

# trusts ROOT USER:GROUP IDS FOLDER: the program finds root certificates, and so gets as far as the provider, which is not there.
trusts() {
	local root=$1 user=$2 ids=$3 message
	echo none >"$root$4/key"
	message=$(inside "$root" "$user" /usr/bin/tieout reconcile "$ids" --api-key-file "$4/key" --deadline 1s \
		--api-url https://127.0.0.1:1 --out "$4/none" --state "$4/none.sqlite" 2>&1) && fail "nobody answered, yet no error"
	[[ $message == *"the provider never answered"* ]] || fail "$message"
}

(cd "$out" && sha256sum --quiet --check SHA256SUMS)
program=$(sha256sum "$out"/tieout-*-x86_64-linux-gnu | cut -d ' ' -f 1)
commit=$(git rev-parse HEAD)

root=$work/root
debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" >"$work/log" || fail "$(tail "$work/log")"
! chroot "$root" sh -c 'command -v cc gcc clang rustc' || fail "the root has a compiler"
echo "$suite, $(chroot "$root" ldd --version | head -n 1)"
cp "$out"/tieout_*.deb "$root/tieout.deb"
inside "$root" 0:0 dpkg --install /tieout.deb >"$work/log" 2>&1 || fail "$(cat "$work/log")"
inside "$root" tieout:tieout tieout --version | tee "$work/version"
grep -q "^sha256 $program$" "$work/version" || fail "that is another program"
data=/var/lib/tieout
examples=/usr/share/doc/tieout/examples
reconciles "$root" tieout:tieout $examples/ids.csv $data
trusts "$root" tieout:tieout $examples/ids.csv $data

# The container's root: the program, the libraries that it loads, root certificates, their licences, and a user.
container=$work/container
mkdir -p "$container"/{data,etc,proc,tmp}
libraries=$(chroot "$root" ldd /usr/bin/tieout | grep -o '/[^ ]*' | cut -c 2-)
licences=$(printf 'usr/share/doc/%s/copyright ' tieout libc6 ca-certificates)
chroot "$root" tar --create --dereference --directory / usr/bin/tieout $libraries $licences \
	etc/ssl/certs/ca-certificates.crt | tar --extract --directory "$container"
printf '%s\n' root:x:0:0::/:/sbin/nologin tieout:x:10001:10001::/data:/sbin/nologin >"$container/etc/passwd"
printf '%s\n' root:x:0: tieout:x:10001: >"$container/etc/group"
chmod 1777 "$container/tmp"
chown 10001:10001 "$container/data"
tar --create --file "$out/container.tar" --sort=name --numeric-owner --mtime="@$(git log -1 --format=%ct)" \
	--directory "$container" .
(cd "$out" && sha256sum container.tar tieout* >SHA256SUMS)

image=$work/image
mkdir "$image"
tar --extract --file "$out/container.tar" --directory "$image"
cp sample_data/ids.csv "$image/data/"
reconciles "$image" 10001:10001 /data/ids.csv /data
trusts "$image" 10001:10001 /data/ids.csv /data
rm "$image/etc/ssl/certs/ca-certificates.crt"
! (trusts "$image" 10001:10001 /data/ids.csv /data) 2>/dev/null || fail "trusts does not need certificates"

inside "$root" 0:0 dpkg --purge tieout >"$work/log" 2>&1 || fail "$(cat "$work/log")"
[ ! -e "$root/usr/bin/tieout" ] && [ -e "$root$data/report/manifest.json" ] || fail "purge must keep reports only"
cat "$out/SHA256SUMS"
