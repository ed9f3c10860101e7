# Repository files that pydock replaced, put back from their backups: FILE|BACKUP|sum of what pydock wrote.
put_back_files() {
    begin restore
    told=
    while IFS='|' read -r path copy wrote; do
        [ -n "$path" ] || continue
        case $path:$copy in /etc/yum.repos.d/*/*:*) fail restore-failed "$path is no repository file." /dev/null ;; esac
        case $path:$copy in /etc/yum.repos.d/*.repo:"$path".pydock-*) ;; *) fail restore-failed "$copy is no backup of $path." /dev/null ;; esac
        [ -f "$copy" ] || fail restore-failed "$path cannot be put back: its backup $copy is gone." /dev/null
        [ "$force" = yes ] || [ "$(sum "$path")" = "$wrote" ] ||
            fail restore-failed "$path is not as pydock left it, so nothing was put back; compare it with $copy." /dev/null
    done <<EOT
$files
EOT
    while IFS='|' read -r path copy wrote; do
        [ -n "$path" ] || continue
        may "put back $path" || continue
        kept=$(beside "$path")
        cp -p "$path" "$kept"
        cp -p "$copy" "$path.pydock-new" && mv -f "$path.pydock-new" "$path" || fail restore-failed "$path could not be written."
        note "\"action\": \"restored\", \"backup\": \"$copy\", \"file\": \"$path\", \"kept\": \"$kept\", \"sha256\": \"$(sum "$path")\""
        rm -f "$copy"
        told="$told ${path##*/}"
    done <<EOT
$files
EOT
    [ -z "$told" ] || tell changed "${told# }"
}
