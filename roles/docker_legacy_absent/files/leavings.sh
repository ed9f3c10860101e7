# What Docker leaves behind besides its data: run files, links of the service, the group, forwarding; settings, EPEL, notes.

present() { for path in "$@"; do { [ ! -e "$path" ] && [ ! -L "$path" ]; } || printf '%s\n' "$path"; done; }
run_files() {
    present /var/run/docker /var/run/docker.sock /var/run/docker.pid /var/lock/subsys/docker /var/lib/pydock/proof.json
    [ -e /etc/init.d/docker ] || present /etc/rc.d/rc[0-6].d/[SK][0-9][0-9]docker
}
# group_goes: nobody has it as a first group, and it has no members, or settings go.
group_goes() {
    line=$(getent group docker) || return 1
    number=$(printf %s "$line" | cut -d : -f 3)
    ! cut -d : -f 4 /etc/passwd | grep -q -x -e "$number" || return 1
    [ "$purge_config" = yes ] || [ -z "${line##*:}" ]
}
# It was off before Docker, nothing switches it on at boot, and no links of others may need it.
forwarding_goes() {
    read -r now </proc/sys/net/ipv4/ip_forward
    [ "$now" = 1 ] && [ "$(remembered ip_forward | tail -n 1)" = 0 ] || return 1
    ! grep -q -E '^[[:space:]]*net[./]ipv4[./]ip_forward[[:space:]]*=[[:space:]]*1' /etc/sysctl.conf /etc/sysctl.d/*.conf || return 1
    for link in /sys/class/net/virbr* /sys/class/net/lxcbr*; do [ ! -e "$link" ] || return 1; done
}
system_wanted() {
    run_files
    ! group_goes || echo "the group docker"
    ! forwarding_goes || echo net.ipv4.ip_forward
}
clear_system() {
    run_files >"$work/list"
    while IFS= read -r path; do remove_tree "$path"; done <"$work/list"
    ! group_goes || groupdel docker >"$said" 2>&1
    ! forwarding_goes || echo 0 >/proc/sys/net/ipv4/ip_forward
}

epel_file=/etc/yum.repos.d/epel.repo
epel_key=/etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-6
config_files() {
    present /etc/docker /etc/sysconfig/docker /etc/sysconfig/docker-storage /etc/sysconfig/docker-network \
        /etc/sysconfig/docker.pydock-*.bak /etc/sysconfig/docker*.rpmsave /var/log/docker /var/log/docker-[0-9]*
    # EPEL as pydock set it up where there was none; what took the place of a file is put back by `pydock restore`.
    ! is_ours "$epel_key" || present "$epel_key"
    ! is_ours "$epel_file" || present "$epel_file" /var/cache/yum/*/*/epel
}
imported_keys() {
    for id in $(sed -n 's/.*"action": "imported".*"key": "[0-9A-F]*\([0-9A-F]\{8\}\)".*/\1/p' "$journal" | tr A-F a-f | sort -u); do
        ! have "gpg-pubkey-$id" || echo "gpg-pubkey-$id"
    done
}
# Not while somebody may need it: data that is still to be purged, or something that restore can put back.
journal_goes() {
    [ -e "$journal" ] || return 1
    for root in $every_root; do [ ! -d "$root" ] || is_empty "$root" || return 1; done
    sed -n 's/.*"action": "replaced".*"backup": "\([^"]*\)".*/\1/p' "$journal" >"$work/backups"
    while read -r copy; do [ ! -e "$copy" ] || return 1; done <"$work/backups"
    packages_that installed >"$work/installed"
    packages_that removed >"$work/removed"
    [ -z "$(comm -13 "$work/installed" "$work/removed")" ]
}
config_wanted() {
    [ "$purge_config" = yes ] || return 0
    config_files
    imported_keys
    ! journal_goes || echo "$journal"
}
remove_config() {
    config_files >"$work/list"
    while IFS= read -r path; do remove_tree "$path"; done <"$work/list"
    for name in $(imported_keys); do rpm -e --allmatches "$name" >"$said" 2>&1; done
    if journal_goes; then
        rm -f "$journal"
        rmdir /var/lib/pydock
    fi
}
