#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# fetch.sh SUITE DIR PACKAGE... : download Debian packages of a named suite into DIR, without installing anything.
#
# Concept: a package of another Debian release is only a file, and apt can fetch it with its signatures checked without
# the system noticing, if it is given private lists, a private cache and a source list of its own. That list is derived
# from the machine's own configuration by replacing the suite name, so the machine's mirror, proxy and keyring are used
# and no address is written down here. Both forms are understood: one-line (*.list) and deb822 (*.sources). On a machine
# that is no Debian a source of Debian's may be one that apt itself does not use ("Enabled: no").
#
# A PACKAGE written as @NAME:PREFIX means "the first package on which NAME depends and whose name begins with PREFIX",
# and more prefixes go on from there: the kernel's meta package linux-image-amd64 depends on the versioned one that
# holds the files, and since Linux 7 that one on linux-binary-VERSION. Written as +NAME it means "that and all that it
# depends on and this machine has not", for a program that shall run from where it is unpacked. The SUITE may be the
# machine's backports.
#
# Invariants: works without root; nothing outside DIR is written; nothing unauthenticated is accepted.
set -eu

suite=$1 dir=$2
shift 2
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
apt=$dir/apt
rm -rf "$apt"
trap 'rm -rf "$apt"' EXIT
trap 'exit 130' INT TERM
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/none"
: > "$apt/status"

die() {
    echo "fetch.sh: $*" >&2
    exit 1
}

command -v apt-get > /dev/null || die "apt-get not found: xenlab's set-up needs Debian 12 or later"

# Debian's suites by any of their names; what else the machine's configuration has is left out. Sid is where updates are
# made: it has none of its own.
names='bullseye|bookworm|trixie|forky|sid|oldstable|stable|testing|unstable'
own=$(. /etc/os-release && echo "${VERSION_CODENAME:-sid}")
off='no|false'
case "|$names|" in
*"|$own|"*) ;;
*) # The newest release of Debian's whose key is here takes its own one's place.
    off='^$'
    for own in trixie bookworm bullseye ''; do
        ! [ -e "/usr/share/keyrings/debian-archive-$own-stable.gpg" ] || break
    done
    [ -n "$own" ] || die "this machine is no Debian and has none of its keys; type:" \
        "sudo apt-get install debian-archive-keyring"
    ;;
esac

# sources_for SUITE KEYRING: the machine's Debian sources, turned to SUITE. KEYRING, if given, replaces signed-by.
sources_for() {
    case $1 in
    sid | unstable | *-backports) without_updates=1 ;;
    *) without_updates= ;;
    esac
    for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -r "$f" ] || continue
        awk -v names="^($names)(-updates|-security)?\$" -v suite="$1" -v keyring="$2" -v without="$without_updates" '
            $1 == "deb" {
                i = 2; options = ""
                if ($2 ~ /^\[/) { do { options = options " " $i } while ($(i++) !~ /\]$/) }
                uri = $i; s = $(i + 1)
                if (s !~ names || without && s ~ /-/) next
                if (!match(s, /-(updates|security)$/)) s = suite; else s = suite substr(s, RSTART)
                gsub(/[][]/, "", options)
                gsub(/ *arch=[^ ]*/, "", options)
                if (keyring != "") { gsub(/ *signed-by=[^ ]*/, "", options); options = options " signed-by=" keyring }
                if (options ~ /[^ ]/) options = "[" options " ]"; else options = ""
                print "deb", options, uri, s, "main"
            }' "$f"
    done
    for f in /etc/apt/sources.list.d/*.sources; do
        [ -r "$f" ] || continue
        # A stanza a record. A key embedded in Signed-By has many lines; such a stanza falls back to the trusted keys of
        # apt.
        awk -v names="^($names)(-updates|-security)?\$" -v suite="$1" -v keyring="$2" -v without="$without_updates" -v off="$off" '
            function flush(   n, i, j, s, u, us, ss, opt) {
                if (types ~ /(^| )deb( |$)/ && enabled !~ off) {
                    opt = keyring != "" ? keyring : signed
                    opt = opt ~ /^\// ? "[ signed-by=" opt " ]" : ""
                    n = split(suites, ss, " ")
                    for (i = 1; i <= n; i++) {
                        if (ss[i] !~ names || without && ss[i] ~ /-/) continue
                        s = suite
                        if (match(ss[i], /-(updates|security)$/)) s = suite substr(ss[i], RSTART)
                        u = split(uris, us, " ")
                        for (j = 1; j <= u; j++) print "deb", opt, us[j], s, "main"
                    }
                }
                types = uris = suites = signed = enabled = field = ""
            }
            /^#/ { next }
            /^[ \t]*$/ { flush(); next }
            /^[A-Za-z-]+:/ { field = tolower($1); value = $0; sub(/^[^:]*:[ \t]*/, "", value) }
            /^[ \t]/ { value = $0 }
            field == "types:" { types = types " " value }
            field == "uris:" { uris = uris " " value }
            field == "suites:" { suites = suites " " value }
            field == "enabled:" { enabled = tolower(value) }
            field == "signed-by:" { if (signed == "") signed = value }
            END { flush() }' "$f"
    done
}

# Every apt call below sees only what is under $apt, and the machine's proxy settings and trusted keys.
private() {
    command=$1
    shift
    "$command" -qq -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts="$apt/none" \
        -o Dir::Etc::Preferences="$apt/none/x" -o Dir::Etc::PreferencesParts="$apt/none" \
        -o Dir::State::Lists="$apt/lists" -o Dir::State::Status="$apt/status" \
        -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none \
        -o Acquire::Retries=3 -o APT::Update::Post-Invoke= -o APT::Update::Post-Invoke-Success= "$@"
}

# update SUITE KEYRING
update() {
    {
        sources_for "${1%-backports}" "$2"
        case $1 in
        *-backports) sources_for "$1" "$2" ;;
        esac
    } > "$apt/sources.list"
    [ -s "$apt/sources.list" ] || die "no Debian source in /etc/apt/sources.list or /etc/apt/sources.list.d to derive one from"
    rm -rf "$apt/lists"
    mkdir -p "$apt/lists/partial"
    private apt-get update -o APT::Update::Error-Mode=any || die "cannot read the package lists of Debian $1 (is the network reachable?)"
}

# A machine that is older than the suite may lack its signing key. The newest keyring of the machine's own release has
# it, and is itself checked with the keys that the machine trusts.
keyring=
release=${suite%-backports}
if [ "$own" != "$release" ] && ! [ -e "/usr/share/keyrings/debian-archive-$release-stable.gpg" ] &&
    ! [ -e "/usr/share/keyrings/debian-archive-$release-stable.pgp" ]; then
    update "$own" ""
    (cd "$apt" && private apt-get download debian-archive-keyring && dpkg -x debian-archive-keyring_*.deb keyring)
    for keyring in "$apt"/keyring/usr/share/keyrings/debian-archive-keyring.*; do break; done
fi

update "$suite" "$keyring"
cd "$dir"
# What is in the backports counts less than the release's, unless it is asked for.
target=
[ "$release" = "$suite" ] || target="-t $suite"
packages=
for package in "$@"; do
    case $package in
    +*)
        name=${package#+}
        private apt-get -s $target -o Dir::State::Status=/var/lib/dpkg/status --no-install-recommends install "$name" \
            > "$apt/plan" || die "Debian $suite: $name cannot be had with what it depends on"
        # Inst NAME [OLD] (NEW SUITE [ARCHITECTURE])
        package=$(awk -v name="$name" '
            $1 == "Inst" && match($0, /\([^ ]+/) {
                print $2 "=" substr($0, RSTART + 1, RLENGTH - 1)
                had = had || $2 == name
            }
            END { if (!had) print name }' "$apt/plan")
        ;;
    @*)
        steps=${package#@}
        package=${steps%%:*}
        while [ "$steps" != "${steps#*:}" ]; do
            steps=${steps#*:}
            meta=$package prefix=${steps%%:*}
            package=$(private apt-cache depends --no-recommends --no-suggests "$meta" |
                awk -v prefix="$prefix" '/Depends:/ && index($NF, prefix) == 1 { print $NF; exit }')
            [ -n "$package" ] || die "Debian $suite: $meta depends on no package $prefix..."
        done
        ;;
    esac
    packages="$packages $package"
done
echo "fetching" $packages "(Debian $suite)"
private apt-get download $target $packages || die "cannot download from Debian $suite:$packages"
