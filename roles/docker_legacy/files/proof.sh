# Proof that it works, on the host itself.
used_mirrors() {
    running || return
    tr '\000' '\n' <"/proc/$number/cmdline" | awk '
        wanted { print; wanted = 0; next }
        $0 == "--registry-mirror" { wanted = 1; next }
        sub(/^--registry-mirror=/, "") { print }' | sed 's|/*$|/|' | awk '!seen[$0]++'
}

# Client, server, mirrors in effect, and a container that has run.
prove() {
    begin proof
    [ "$check" != yes ] || { tell skipped "a proof runs a container"; return; }
    command -v docker >/dev/null || fail no-client "This host has no docker command; install docker-io first."
    answers || fail no-server "The engine does not answer on this host; \`service docker status\` and /var/log/docker say why." "$work/version"
    client=$(sed -n 's/^Client version: *//p' "$work/version")
    server=$(sed -n 's/^Server version: *//p' "$work/version")
    used=$(used_mirrors)
    for mirror in $mirrors; do
        case $newline$used$newline in
        *"$newline$mirror/$newline"*) ;;
        *) fail mirrors-not-in-effect "The engine uses the registry mirrors ${used:-(none)}, but $mirror is wanted; restart it." /dev/null ;;
        esac
    done
    name=pydock-proof-$$
    ran=$image
    how=run
    if [ "$image" != builtin ] && [ -z "$(docker images -q "$image")" ]; then
        how='pulled and run'
        # Docker Hub has nothing for an engine this old: only a mirror may, and is not waited for for long.
        timeout 90 docker pull "$image" >"$work/pull" 2>&1 || {
            [ "$image" = hello-world ] && [ -n "$builtin" ] || fail run-failed \
                "$image could not be pulled: $(grep . "$work/pull" | tail -n 1). Engine 1.7.1 reads images of schema 1 alone, which Docker Hub has no more; use verify.image: builtin, or a mirror that has them." "$work/pull"
            how="run, made on the spot: $image cannot be pulled ($(grep . "$work/pull" | tail -n 1)); engine 1.7.1 reads schema 1 alone, which Docker Hub has no more"
            ran=builtin
        }
    fi
    start=$ran
    if [ "$ran" = builtin ]; then
        [ "$image" != builtin ] || how='run, made on the spot: nothing was pulled'
        printf %s "$builtin" | base64 -d | gzip -dc >"$work/image.tar"
        timeout 120 docker load <"$work/image.tar" >"$said" 2>&1 || fail run-failed "docker load did not take the built-in image."
        start=$builtin_name
        greeting=$builtin_greeting
    fi
    timeout 180 docker run --rm --name "$name" "$start" >"$said" 2>&1
    code=$?
    if [ "$code" != 0 ] || ! grep -q -F "$greeting" "$said"; then
        cat "$said" >"$work/run"
        tail -n 20 /var/log/docker >>"$work/run"
        docker rm -f "$name" >"$said" 2>&1
        [ "$code" != 124 ] || fail run-timeout "$ran did not run within 180 s." "$work/run"
        [ "$code" = 0 ] || fail run-failed "docker run $ran failed: $(grep . "$work/run" | head -n 1)" "$work/run"
        fail wrong-greeting "The image $ran ran, but did not say \"$greeting\"; check which image that name brings." "$work/run"
    fi
    list=
    for mirror in $used; do list="$list${list:+, }\"$(json "$mirror")\""; done
    record="\"client\": \"$(json "$client")\", \"image\": \"$(json "$ran")\", \"registry_mirrors\": [$list], \"server\": \"$(json "$server")\""
    case $(cat /var/lib/pydock/proof.json) in
    "{$record,"*) ;;
    *)
        mkdir -p /var/lib/pydock
        printf '{%s, "time": "%s"}\n' "$record" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$work/proof" &&
            cp "$work/proof" /var/lib/pydock/proof.json
        ;;
    esac
    tell ok "$ran $how; client $client, server $server"
    printf 'pydock: {"proof": {%s, "hello_world": true}}\n' "$record"
}
