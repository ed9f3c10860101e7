# Docker's part of the packet filters goes, rule by rule: nothing is flushed that is not Docker's own chain.

# undoing TOOL: input of iptables-restore --noflush that takes away Docker's rules and chains; nothing if there are none.
# Jumps go first: a chain that is referred to cannot be deleted. Of the rules in chains of others, Docker's are those that
# lead into its own and those that the engine writes about its bridge (moby, 1.x to 28); any other form is not Docker's.
undoing() {
    "$1-save" | bridge=$bridge awk '
        function is_own(name) {
            return name ~ /^DOCKER(-(USER|FORWARD|BRIDGE|CT|INTERNAL|INGRESS|ISOLATION(-STAGE-[12])?))?$/
        }
        function leads(rule,   text, words, number, i) {
            text = rule
            gsub(/"([^"\\]|\\.)*"/, "", text)  # A comment may say anything.
            number = split(text, words, " ")
            for (i = 1; i < number; i++) if ((words[i] == "-j" || words[i] == "-g") && words[i + 1] in own) return 1
            return 0
        }
        function written(rule,   w, b) {
            split(rule, w, " ")
            b = ENVIRON["bridge"]
            if (table == "filter")
                return rule == "-A FORWARD -o " b " -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT" ||
                    rule == "-A FORWARD -i " b " ! -o " b " -j ACCEPT" ||
                    rule == "-A FORWARD -i " b " -o " b " -j ACCEPT" || rule == "-A FORWARD -i " b " -o " b " -j DROP"
            if (table == "nat")
                return masquerades(rule) || rule == "-A POSTROUTING -o " b " -m addrtype --src-type LOCAL -j MASQUERADE" ||
                    (rule == "-A POSTROUTING -s " w[4] " -d " w[4] " -p " w[8] " -m " w[8] " --dport " w[12] " -j MASQUERADE" &&
                        w[4] ~ /\/32$/ && in_subnet(w[4]))
            return 0
        }
        function masquerades(rule,   w) {
            split(rule, w, " ")
            return rule == "-A POSTROUTING -s " w[4] " ! -o " ENVIRON["bridge"] " -j MASQUERADE"
        }
        function number_of(address,   p) { split(address, p, /[.\/]/); return ((p[1] * 256 + p[2]) * 256 + p[3]) * 256 + p[4] }
        function in_subnet(address,   net, parts, size, bits) {
            for (net in subnets) {
                split(net, parts, "/")
                size = 1
                for (bits = parts[2]; bits < 32; bits++) size *= 2
                if (int(number_of(address) / size) == int(number_of(parts[1]) / size)) return 1
            }
            return 0
        }
        function finish(   i, name, mine, told) {
            for (i = 1; i <= count; i++) if (masquerades(rules[i])) { split(rules[i], parts, " "); subnets[parts[4]] = 1 }
            for (i = 1; i <= count; i++) {
                split(rules[i], parts, " ")
                if (!(parts[2] in own) && (leads(rules[i]) || written(rules[i]))) told = told "-D " substr(rules[i], 4) "\n"
            }
            for (name in own) { told = told "-F " name "\n"; mine = mine "-X " name "\n" }
            if (told != "") printf "*%s\n%s%sCOMMIT\n", table, told, mine
            split("", own); split("", rules); split("", subnets)
            count = 0
        }
        /^\*/ { table = substr($0, 2) }
        /^:/ { if (is_own(substr($1, 2))) own[substr($1, 2)] = 1 }
        /^-A / { rules[++count] = $0 }
        /^COMMIT/ { finish() }'
}
filters() { for tool in iptables ip6tables; do ! command -v "$tool-save" >/dev/null || echo "$tool"; done; }
policy_of() { "$1-save" -t filter | sed -n 's/^:FORWARD \([A-Z]*\) .*/\1/p'; }
# The policy before Docker, where the journal knows it and it is another one now.
policy_before() {
    before=$(remembered "$1 FORWARD" | tail -n 1)
    [ "$before" = ACCEPT ] && [ "$(policy_of "$1")" = DROP ] && echo "$before"
}
firewall_wanted() {
    for tool in $(filters); do
        undoing "$tool" | grep -q . && echo "chains and rules of $tool"
        [ -z "$(policy_before "$tool")" ] || echo "policy of FORWARD ($tool)"
    done
}
remove_firewall() {
    for tool in $(filters); do
        before=$(policy_before "$tool")
        undoing "$tool" >"$work/undo"
        [ ! -s "$work/undo" ] || "$tool-restore" --noflush <"$work/undo" >"$said" 2>&1
        [ -z "$before" ] || "$tool" -P FORWARD "$before"
    done
}
