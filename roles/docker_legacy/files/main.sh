# Docker 1.7.1 on release 6: looks, does what is missing, looks again, and tells its steps.
only=
archives=
epel=
epel_key=
unwanted=
compilers=
other_args=unset
was=unset
proxies=
restart=no
mirrors=
image=hello-world
builtin=
builtin_name=
greeting='Hello from Docker'
files=
force=no
for word do
    value=${word#*=}
    case $word in
    only=*) only=$value ;;
    archive=*) archives="$archives $value" ;;
    epel=*) epel="$epel $value" ;;
    epel_key=*) epel_key=$value ;;
    unwanted=*) unwanted="$unwanted $value" ;;
    compiler=*) compilers="$compilers $value" ;;
    other_args=*) other_args=set:$value ;;
    was=*) was=set:$value ;;
    proxy=*) proxies=$proxies$value$newline ;;
    restart=*) restart=$value ;;
    mirror=*) mirrors="$mirrors ${value%/}" ;;
    image=*) image=$value ;;
    builtin=*) builtin=$value ;;
    builtin_name=*) builtin_name=$value ;;
    greeting=*) builtin_greeting=$value ;;
    file=*) files=$files$value$newline ;;
    force=*) force=$value ;;
    *=*) ;;
    esac
done

see_the_host
case $(uname -m) in x86_64) ;; *) fail not-release-6 "Docker 1.7.1 is there for x86_64 alone." /dev/null ;; esac
take_turn
# What is started from here on, an engine for one, must not hold the lock on.
{
case $only in
proof) prove ;;
restore) put_back_files ;;
settings)
    see_to_settings
    see_to_service
    ;;
*)
    [ -z "$archives" ] || base_repositories
    have docker-io || see_to_repository
    see_to_removal
    # shellcheck disable=SC2086 - names of packages
    [ -z "$compilers" ] || see_to_packages compilers $compilers
    see_to_packages engine docker-io
    see_to_library
    see_to_settings
    [ "$check" = yes ] && ! have docker-io || see_to_service
    prove
    ;;
esac
} 9>&-
exit 0
