# Preflight, what answers: mirrors of Docker's packages, registry mirrors, enabled repositories. Runs after probe.sh in
# the same shell, with its functions and what network.sh and packages.sh know; see sections/README.md.
#
# One curl asks all of it at once where it can (7.75 of release 9 and later): a process costs more than a question.
# What that leaves open is asked by a process each, as curl of release 6 to 8 needs it.

# OpenSSL looks into a directory faster than it reads the bundle, for which each question pays 30 ms. A certificate that
# the directory does not vouch for is asked about again with the bundle, which is what yum goes by.
trust=
for certificate in /etc/pki/ca-trust/extracted/pem/directory-hash/*.0 /etc/pki/tls/certs/*.0 /etc/ssl/certs/*.0; do
    [ -r "$certificate" ] || continue
    trust="cacert = \"$certificate\"${tab}capath = \"${certificate%/*}\"$tab"
    break
done

# A question is a line: number, class, id, kind, name of the server, and curl's words for it, tabs between all.
questions=
labels=
list_of=
count=0
add() {
    name=${4#*://}
    name=${name%%/*}
    case $name in
    \[*) name= ;;
    *[!0-9.:]*) name=${name%%:*} ;;
    *) name= ;;
    esac
    count=$((count + 1))
    labels="$labels$count$tab$1$tab$2$tab$3$tab${name:--}$newline"
    questions="$questions$count$tab$1$tab$3$tab$5$newline"
}
asker=
! command -v curl >/dev/null 2>&1 || asker=curl
set -f
# A host that has a repository keeps its mirror: where one is to be chosen, no other is asked while that one serves. A
# mirror that nobody knows is asked under the name "present", if its tree is laid out as Docker's.
others=
choosing=
case $mirrors in *' '*' '*) choosing=yes ;; esac
if [ -r /etc/yum.repos.d/docker-ce.repo ]; then
    kept=
    present=
    while IFS= read -r value || [ -n "$value" ]; do
        case $present:$value in :baseurl*http*://*/linux/*)
            present=http${value#*http}
            present=${present%%/linux/*}
            ;;
        esac
    done </etc/yum.repos.d/docker-ce.repo
    for place in $mirrors; do
        [ "${place#*=}" != "$present" ] || kept=$place
    done
    case $kept:$present in :*[!A-Za-z0-9:/._~%+-]* | :) ;; :*) kept=present=$present ;; esac
    if [ -n "$choosing" ] && [ -n "$kept" ]; then
        for place in $mirrors; do
            [ "$place" = "$kept" ] || others="$others $place"
        done
        mirrors=" $kept"
        choosing=
    fi
fi
add_mirrors() {
    for place in $1; do
        [ -n "$asker" ] && [ -n "$repository_path" ] || continue
        case $place in *[\"\\]*) continue ;; esac
        tree_of "$place"
        list_of=${list_of:-${place%%=*}}
        add mirror "${place%%=*}" - "$tree" "${proxy_words}url = \"$tree/repodata/repomd.xml\"$tab"
    done
}
add_mirrors "$mirrors"
for place in $registries; do
    [ -n "$asker" ] && [ "$thorough" = yes ] || continue
    case $place in *[\"\\]*) continue ;; esac
    add registry "$place" - "$place" "url = \"${place%/}/v2/\"$tab"
done
set +f
if [ -n "$asker" ]; then
    found=$(repository_addresses 2>/dev/null)
    set -f
    IFS=$newline
    for row in $found; do
        id=${row%%"$tab"*}
        row=${row#*"$tab"}
        add repository "$id" "${row%%"$tab"*}" - "${row#*"$tab"}"
    done
    set +f
    unset IFS
fi

# Curl's words for one question; passwords among them reach it on its stdin.
words() {
    printf '%s\n' silent globoff 'connect-timeout = 4' 'max-time = 8'
    case $1:$2 in
    registry:*) echo 'output = "/dev/null"' ;;
    *:whole) echo location ;;
    *:body) printf '%s\n' location 'max-filesize = 65536' ;;
    *:list) printf '%s\n' location 'max-filesize = 1048576' 'limit-rate = "200k"' ;;
    *) printf '%s\n' location 'output = "/dev/null"' 'limit-rate = "200k"' ;;
    esac
    set -f
    IFS=$tab
    for word in $3; do printf '%s\n' "$word"; done
    set +f
    unset IFS
}
# The questions of one kind in one go, or one question alone.
together() {
    between=
    body=body
    set -f
    IFS=$newline
    for row in $questions; do
        number=${row%%"$tab"*}
        row=${row#*"$tab"}
        class=${row%%"$tab"*}
        row=${row#*"$tab"}
        kind=${row%%"$tab"*}
        row=${row#*"$tab"}
        case $1:$kind in all:list | list:base | list:-) continue ;; esac
        # Of all answers one is read, not to be mixed up with others: the first mirror's list of lists.
        case $class in mirror) kind=$body body=- ;; esac
        case $row in *'cacert = '*) ;; *) row=$trust$row ;; esac
        [ -z "$between" ] || echo next
        between=yes
        words "$class" "$kind" "$row"
        printf 'write-out = "\\n%s %s %%{http_code} %%{time_total} %%{time_namelookup} %%{exitcode}\\n"\n' "$nonce" "$number"
    done
}
alone() {
    {
        words "$2" "$3" "$4"
        printf 'write-out = "\\n%s %s %%{http_code} %%{time_total} %%{time_namelookup} "\n' "$nonce" "$1"
    } | limit 12 curl -q -K -
    set -- "$1" $?
    printf '%s\n%s %s 000 0 0 %s\n' "$2" "$nonce" "$1" "$2"
}
# From what curl says to rows: number, class, id, kind, name, then status, seconds, seconds for the name, curl's exit
# status, and how many addresses a list has. A row that is not whole is none, nor one with an exit status of "but".
read_answers() {
    labels=$labels awk -v nonce="$nonce" -v but="${1:-}" '
        BEGIN {
            count = split(ENVIRON["labels"], rows, "\n")
            for (i = 1; i <= count; i++) label[substr(rows[i], 1, index(rows[i], "\t") - 1)] = rows[i]
        }
        index($0, nonce " ") == 1 {
            if (NF == 6 && $6 ~ /^[0-9]+$/ && index(but, ":" $6 ":") == 0 && !told[$2]++)
                print label[$2] "\t" $3 "\t" $4 "\t" $5 "\t" $6 "\t" addresses + 0
            addresses = 0
            next
        }
        tolower($0) ~ /^[ \t]*(https?|ftp|file):\/\/|<url[ >]/ { addresses++ }
        match($0, /href="[A-Za-z0-9_.\/-]*primary\.xml\.gz"/) && !list++ {
            print "href\t" substr($0, RSTART + 6, RLENGTH - 7)
        }'
}
# What curl says of a certificate that is not trusted, or of a directory that it cannot use.
doubts=
[ -z "$trust" ] || doubts=:60:77:
ask_together() {
    { together all | limit 20 curl -q -Z -K - | read_answers "$doubts"; } &
    case $questions in *"${tab}list$tab"*) together list | limit 12 curl -q -K - | read_answers "$doubts" ;; esac
    wait
}
settled() { case $newline$told in *"$newline$1$tab"*) return 0 ;; esac; return 1; }
ask_rest() {
    set -f
    IFS=$newline
    for row in $questions; do
        number=${row%%"$tab"*}
        settled "$number" && continue
        row=${row#*"$tab"}
        class=${row%%"$tab"*}
        row=${row#*"$tab"}
        alone "$number" "$class" "${row%%"$tab"*}" "${row#*"$tab"}" | read_answers &
    done
    wait
}
told=
ask() {
    [ -n "$questions" ] || return 0
    case $major in 6 | 7 | 8) ;; *) told=$told$newline$(ask_together 2>/dev/null) ;; esac
    rest=
    number=0
    while [ "$number" -lt "$count" ]; do
        number=$((number + 1))
        settled "$number" || rest=yes
    done
    [ -z "$rest" ] || told=$told$newline$(ask_rest 2>/dev/null)
}
ask
# Where the mirror that is there does not serve any more, the others are asked.
served() {
    set -f
    IFS=$newline
    for row in $told; do
        case $row in *"${tab}mirror$tab"*"${tab}200$tab"*) found=yes ;; esac
    done
    set +f
    unset IFS
    [ "$found" = yes ]
}
found=
if [ -n "$others" ] && [ -n "$questions" ] && ! served; then
    questions=
    set -f
    add_mirrors "$others"
    set +f
    mirrors=$mirrors$others
    choosing=yes
    ask
fi

names_said=
mirrors_said=
seconds_said=
registries_said=
repositories_said=
list=
proxies=${http_proxy:-}${https_proxy:-}${HTTPS_PROXY:-}${all_proxy:-}${ALL_PROXY:-}
set -f
IFS=$newline
for row in $told; do
    IFS=$tab
    # shellcheck disable=SC2086 - cut at tabs
    set -- $row
    IFS=$newline
    case $2 in
    mirror)
        mirrors_said="$mirrors_said$3 $6$newline"
        seconds_said="$seconds_said$3 $6 $7$newline"
        ;;
    registry) registries_said="$registries_said$3 $6 $9$newline" ;;
    repository) repositories_said="$repositories_said$3$tab$4$tab$6 $9 ${10}$newline" ;;
    *) list=$2 ;;
    esac
    # Curl knows whether a name resolves, where no proxy does that.
    case $2:$proxies:$5:$9:$8 in
    registry::-:* | mirror::-:*) ;;
    registry::*:6:* | registry::*:28:0 | registry::*:28:0.000000) names_said="$names_said$5 2$newline" ;;
    registry::*) names_said="$names_said$5 0$newline" ;;
    mirror::*:6:* | mirror::*:28:0 | mirror::*:28:0.000000) [ -n "$proxy_words" ] || names_said="$names_said$5 2$newline" ;;
    mirror::*) [ -n "$proxy_words" ] || names_said="$names_said$5 0$newline" ;;
    esac
done
set +f
unset IFS

# The names that curl says nothing about.
ask_name() {
    address=${1#*://}
    address=${address%%/*}
    case $address in \[*) return ;; esac
    address=${address%%:*}
    case $address in *[!0-9.]*) ;; *) return ;; esac
    case $newline$names_said in *"$newline$address "*) return ;; esac
    limit 8 getent hosts "$address" >/dev/null
    echo "$address $?"
}
names() {
    command -v getent >/dev/null 2>&1 || [ -n "$names_said" ] || return 44
    printf %s "$names_said"
    command -v getent >/dev/null 2>&1 || return 0
    set -f
    [ -n "$proxy_words" ] || for place in $mirrors; do
        ask_name "${place#*=}" &
    done
    for place in $registries; do
        ask_name "$place" &
    done
    wait
    set +f
}
registry_answers() {
    [ -n "$asker" ] || return 44
    printf %s "$registries_said"
}
mirror_answers() {
    [ -n "$asker" ] && [ -n "$mirrors" ] && [ -n "$repository_path" ] || return 44
    printf %s "$mirrors_said"
}
repository_answers() {
    [ -n "$asker" ] && [ -n "$mirrors" ] && [ -n "$repository_path" ] || return 44
    printf %s "$seconds_said"
}
repository_status() {
    [ -n "$asker" ] && command -v awk >/dev/null 2>&1 || return 44
    printf %s "$repositories_said"
}
answer names names
answer repository_answers repository_answers
answer mirror_answers mirror_answers
[ "$thorough" != yes ] || answer registry_answers registry_answers
answer repository_status repository_status

# The keys of the mirrors that serve, where one of them is to be chosen: one after the other, as far as time allows. An
# answer for each; what does not answer is not known, and the role looks at it at the latest.
repository_keys() {
    set -f
    between=
    for place in $mirrors; do
        case $newline$mirrors_said in *"$newline${place%%=*} 200$newline"*) ;; *) continue ;; esac
        [ -z "$between" ] || echo next
        between=yes
        words mirror body "$trust${proxy_words}url = \"${place#*=}/linux/${repository_path%%/*}/gpg\""
        set -f
        printf 'max-time = 4\nwrite-out = "\\n%s key %s %%{http_code}\\n"\n' "$nonce" "${place%%=*}"
    done | limit 8 curl -q -K - 2>/dev/null | awk -v nonce="$nonce" '
        index($0, nonce " key ") == 1 {
            if ($4 != "000") printf "\n%s key:%s\n%s\n%s/ 0\n", nonce, $3, text, nonce
            text = ""
            next
        }
        length(text) < 32768 { text = text $0 "\n" }'
    set +f
}
# EPEL's key is another's: the role looks at it.
case $repository_path:$choosing:$mirrors_said in epel/*) ;; *:yes:*' 200'*) repository_keys ;; esac

# The first mirror that has a list: the names of Docker's packages in it. Nothing is written.
fetch() { words mirror "$1" "$trust${proxy_words}url = \"$2\"" | curl -q -K -; }
package_set() {
    case $repository_path in epel/*) return 44 ;; esac
    [ -n "$asker" ] && [ -n "$repository_path" ] && command -v gzip >/dev/null 2>&1 || return 44
    set -f
    # What yum will ask comes first: a mirror may lag behind another.
    own=
    others=
    while read -r value; do
        case $value in baseurl*=*) own=$value ;; esac
    done </etc/yum.repos.d/docker-ce.repo
    for place in $mirrors; do
        case $own in *"${place#*=}/linux/"*) others="$place $others" ;; *) others="$others $place" ;; esac
    done
    for place in $others; do
        case $newline$mirrors_said in *"$newline${place%%=*} 200$newline"*) ;; *) continue ;; esac
        tree_of "$place"
        if [ "$list_of" != "${place%%=*}" ] || [ -z "$list" ]; then
            list=$(fetch body "$tree/repodata/repomd.xml" | read_answers)
            list=${list#href"$tab"}
        fi
        [ -n "$list" ] || continue
        printf 'mirror %s\n' "${place%%=*}"
        fetch whole "$tree/$list" | gzip -dc | awk 'BEGIN { RS = ">" }
            /<location / && match($0, /href="[^"]*"/) {
                name = substr($0, RSTART + 6, RLENGTH - 7)
                sub(/.*\//, "", name)
                if (name ~ /^(docker-ce|docker-ce-cli|docker-ce-rootless-extras|docker-[a-z]+-plugin|containerd\.io)-[0-9]/ &&
                    count++ < 800) print name
            }'
        return 0
    done
    return 1
}
[ "$thorough" != yes ] || answer package_set package_set
