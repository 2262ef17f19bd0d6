#!/bin/sh
# Makes a release from the tag at HEAD, on any machine that can run `make test`.
# The version stands in plugin/version, and CHANGELOG.md has an entry for it:
#
#   git tag -a v1.2.3 -m 'edgejwt 1.2.3'
#   make release                                      # all but the pushing
#   make release IMAGE=registry.example.com/team/edgejwt
#
# A fresh clone is tested and packed; a second one, elsewhere and with an empty
# build cache, has to come to the same sums. What is to be published is then in
# dist/release. Nothing is signed here: deploy/image/README.md says how.
set -eu
cd "$(dirname "$0")/.."

tag=$(git describe --exact-match --match 'v[0-9]*' HEAD 2>/dev/null) || {
	echo "release: HEAD bears no tag such as v1.2.3" >&2
	exit 1
}
test -z "$(git status --porcelain)" || {
	echo "release: there are changes that $tag does not have:" >&2
	git status --short >&2
	exit 1
}

number=$(sed -n 's/^const Number = "\(.*\)"$/\1/p' plugin/version/version.go)
test "$tag" = "v$number" || {
	echo "release: the tag is $tag, plugin/version/version.go says ${number:-nothing}" >&2
	exit 1
}
grep -qF "## [$number]" CHANGELOG.md || {
	echo "release: CHANGELOG.md has no entry \"## [$number]\"" >&2
	exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

git clone -q --branch "$tag" . "$work/one" -c advice.detachedHead=false
git clone -q --branch "$tag" . "$work/somewhere/else" -c advice.detachedHead=false

echo "release: $tag, tests"
make -C "$work/one" test
make -C "$work/one" image IMAGE=
echo "release: $tag, once more from nothing"
GOCACHE="$work/cache" make -C "$work/somewhere/else" image IMAGE=
cmp "$work/one/dist/SHA256SUMS" "$work/somewhere/else/dist/SHA256SUMS" || {
	echo "release: two builds of $tag differ" >&2
	exit 1
}
test -z "$IMAGE" || make -C "$work/one" image IMAGE="$IMAGE"

mkdir -p dist
rm -rf dist/release
cp -R "$work/one/dist" dist/release
cat dist/release/SHA256SUMS
