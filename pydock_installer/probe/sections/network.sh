# Preflight, network. Runs after probe.sh in the same shell, with its functions; see sections/README.md.
