# Where packages come from: what is fetched, base repositories that were switched off, and EPEL.
# yum's own proxy; a password in it reaches curl on its stdin.
main() { sed -n '/^\[main\]/,/^\[/s/^'"$1"'[[:space:]]*=[[:space:]]*\([^[:space:]"\\]*\)[[:space:]]*$/\1/p' /etc/yum.conf | tail -n 1; }
proxy=$(main proxy)
case $proxy in _none_ | None | none) proxy= ;; esac
fetch() {
    {
        printf 'url = "%s"\noutput = "%s"\n' "$1" "$2"
        [ -z "$proxy" ] || printf 'proxy = "%s"\n' "$proxy"
        user=$(main proxy_username)
        [ -z "$proxy" ] || [ -z "$user" ] || printf 'proxy-user = "%s:%s"\n' "$user" "$(main proxy_password)"
    } | curl -q -f -s -S -L --connect-timeout 10 --max-time 60 -K - >"$said" 2>&1
}
machine=$(uname -m)

# FILE: how sed points its dead repositories to $chosen. One that has an address of the user's keeps that alone, and
# others in the same file are none of its.
repair() {
    awk '
        function told() { if (dead) print from "," NR - 1 " " (live ? "live" : spare ? "spare" : "bare") }
        /^\[/ { told(); from = NR; dead = live = spare = 0 }
        /^mirrorlist[ \t]*=.*mirrorlist\.centos\.org/ { dead = 1 }
        /^baseurl[ \t]*=/ { if ($0 ~ /\/\/mirror\.centos\.org\//) dead = spare = 1; else live = 1 }
        /^#[# \t]*baseurl[ \t]*=.*\/\/mirror\.centos\.org\// { spare = 1 }
        END { NR++; told() }' "$1" | while read -r lines has; do
        for part in os updates extras centosplus contrib cr fasttrack; do
            more=
            [ "$has" != bare ] || more="\\
baseurl=$chosen/$part/\$basearch/"
            printf '%s\n' "${lines}s|^\(mirrorlist[[:space:]]*=.*mirrorlist\.centos\.org.*[?&]repo=$part\)\([&[:space:]].*\)*\$|#\1\2$more|"
            [ "$has" != spare ] || printf '%s\n' \
                "${lines}s|^[#[:space:]]*baseurl[[:space:]]*=[[:space:]]*https*://mirror\.centos\.org/[^/]*/[^/]*/$part/|baseurl=$chosen/$part/|"
        done
    done
}
# Repository files whose servers were switched off, pointed to the first archive that serves this host.
base_repositories() {
    begin base-repositories
    grep -l -E '^[^#]*(mirrorlist|mirror)\.centos\.org' /etc/yum.repos.d/*.repo >"$work/dead" || return 0
    chosen=
    for archive in $archives; do
        if fetch "$archive/os/$machine/repodata/repomd.xml" "$work/repomd"; then
            chosen=$archive
            break
        fi
    done
    [ -n "$chosen" ] || fail no-archive "No archive of this release serves this host; nothing was changed: $(cat "$said")"
    done_to=
    while read -r path; do
        repair "$path" >"$work/repair"
        sed -f "$work/repair" "$path" >"$work/new" && ! cmp -s "$path" "$work/new" || continue
        may "point ${path##*/} to $chosen" || continue
        replace "$path" "$work/new"
        done_to="$done_to ${path##*/}"
    done <"$work/dead"
    [ -z "$done_to" ] || tell changed "${done_to# } to $chosen"
}

repository_text() {
    printf '%s\n' "# Managed by pydock. The key below was checked against its pinned fingerprint." "[epel]" \
        "name=EPEL 6, its archive" "baseurl=$1/6/\$basearch" enabled=1 gpgcheck=1 "gpgkey=file://$key_file" \
        skip_if_unavailable=0
}
key_file=/etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-6
repository_file=/etc/yum.repos.d/epel.repo
key_short() { printf %s "$epel_key" | sed 's/.*\(........\)$/\1/' | tr A-F a-f; }
# EPEL's archive: its key checked before it is trusted.
see_to_repository() {
    begin repository
    chosen=
    why=
    for base in $epel; do
        repository_text "$base" >"$work/repo"
        # What is there and serves stays.
        if fetch "$base/6/$machine/repodata/repomd.xml" "$work/repomd"; then
            chosen=$base
            break
        fi
        why=$why${why:+; }$(cat "$said")
    done
    [ -n "$chosen" ] || fail no-metadata "No archive of EPEL 6 serves this host: $why"
    if cmp -s "$work/repo" "$repository_file" && [ -s "$key_file" ] && have "gpg-pubkey-$(key_short)"; then
        tell ok "$chosen"
        return
    fi
    may "set up EPEL 6 of $chosen" || return 0
    command -v gpg >/dev/null || fail no-gpg "There is no gpg to check the key of EPEL with; install gnupg2."
    fetch "$chosen/RPM-GPG-KEY-EPEL-6" "$work/key" || fail key-not-fetched "The key of EPEL was not to be had from $chosen."
    mkdir -m 700 "$work/gpg"
    gpg --homedir "$work/gpg" --batch --no-tty --import "$work/key" >"$said" 2>&1
    prints=$(gpg --homedir "$work/gpg" --batch --no-tty --with-colons --fingerprint | awk -F: '
        $1 == "pub" { wanted = 1 }
        $1 == "fpr" && wanted { print $10; wanted = 0 }')
    [ "$prints" = "$epel_key" ] || fail wrong-key \
        "The key at $chosen is not the pinned one: it is ${prints:-no key}, wanted is $epel_key. Nothing was imported."
    cmp -s "$work/key" "$key_file" || replace "$key_file" "$work/key"
    if ! have "gpg-pubkey-$(key_short)"; then
        rpm --import "$key_file" >"$said" 2>&1
        have "gpg-pubkey-$(key_short)" || fail key-not-imported "rpm did not take the key of EPEL."
        note "\"action\": \"imported\", \"key\": \"$epel_key\""
    fi
    cmp -s "$work/repo" "$repository_file" || replace "$repository_file" "$work/repo"
    tell changed "$chosen"
}
