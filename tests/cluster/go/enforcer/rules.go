package main

import (
	"fmt"
	"sort"
	"strings"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const table = "strata-policies"

var families = []string{"ip", "ip6"}

// The table for the pods of `node`: a chain for each pod and direction in which a policy selects it, which returns for
// what is allowed and drops the rest, and the hooks that send a pod's packets there.
func (v *view) ruleset(node string) string {
	var chains strings.Builder
	jumps := map[string][]string{} // "ip saddr" → the elements of its map
	for number, pod := range v.pods {
		if pod.Spec.NodeName != node {
			continue
		}
		for _, direction := range []networking.PolicyType{networking.PolicyTypeIngress, networking.PolicyTypeEgress} {
			policies := v.selecting(pod, direction)
			if len(policies) == 0 {
				continue
			}
			chain := fmt.Sprintf("%s_%d", strings.ToLower(string(direction)), number)
			fmt.Fprintf(&chains, "  chain %s { # %s/%s\n", chain, pod.Namespace, pod.Name)
			for _, allowed := range v.allowed(pod, policies, direction) {
				fmt.Fprintf(&chains, "    %sreturn\n", allowed)
			}
			fmt.Fprint(&chains, "    counter drop\n  }\n")
			own := "daddr"
			if direction == networking.PolicyTypeEgress {
				own = "saddr"
			}
			for _, family := range families {
				for _, address := range addresses(pod, family) {
					key := family + " " + own
					jumps[key] = append(jumps[key], fmt.Sprintf("%s : jump %s", address, chain))
				}
			}
		}
	}
	var rules strings.Builder
	fmt.Fprintf(&rules, "table inet %s\ndelete table inet %s\ntable inet %s {\n%s", table, table, table, chains.String())
	hook := func(name string, accepted string, keys ...string) {
		fmt.Fprintf(&rules, "  chain %s {\n    type filter hook %s priority filter + 10; policy accept;\n", name, name)
		fmt.Fprintf(&rules, "    ct state established,related accept\n%s", accepted)
		for _, key := range keys {
			if elements := jumps[key]; len(elements) > 0 {
				fmt.Fprintf(&rules, "    %s vmap { %s }\n", key, strings.Join(elements, ", "))
			}
		}
		fmt.Fprint(&rules, "  }\n")
	}
	hook("forward", "", "ip saddr", "ip6 saddr", "ip daddr", "ip6 daddr")
	// What a pod sends to its own node, but not how it finds the node's link address, without which it reaches nobody.
	hook("input", "    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept\n", "ip saddr", "ip6 saddr")
	fmt.Fprint(&rules, "}\n")
	return rules.String()
}

// The matches of all that `policies` allow a pod in one direction, each ready for a verdict.
func (v *view) allowed(pod *core.Pod, policies []*networking.NetworkPolicy, direction networking.PolicyType) (found []string) {
	other := "saddr"
	if direction == networking.PolicyTypeEgress {
		other = "daddr"
	}
	found = among(addressSet([]*core.Pod{pod}), other) // itself, by way of a Service
	for _, policy := range policies {
		if direction == networking.PolicyTypeIngress {
			for _, rule := range policy.Spec.Ingress {
				found = append(found, v.rule(rule.From, rule.Ports, policy.Namespace, other, pod)...)
			}
		} else {
			for _, rule := range policy.Spec.Egress {
				found = append(found, v.rule(rule.To, rule.Ports, policy.Namespace, other, nil)...)
			}
		}
	}
	return
}

// One rule of a policy. `target`: the pod whose ports a name means, nil when it is each peer's own (egress).
func (v *view) rule(
	peers []networking.NetworkPolicyPeer, ports []networking.NetworkPolicyPort, namespace, other string, target *core.Pod,
) (found []string) {
	peerMatches, pods := v.peerMatches(peers, namespace, other)
	if len(ports) == 0 {
		return peerMatches
	}
	for _, port := range ports {
		protocol := "tcp"
		if port.Protocol != nil {
			protocol = lower(*port.Protocol)
		}
		var portMatch string
		switch {
		case port.Port == nil:
			portMatch = "meta l4proto " + protocol + " "
		case port.Port.Type == intstr.Int && port.EndPort != nil:
			portMatch = fmt.Sprintf("%s dport %d-%d ", protocol, port.Port.IntVal, *port.EndPort)
		case port.Port.Type == intstr.Int:
			portMatch = fmt.Sprintf("%s dport %d ", protocol, port.Port.IntVal)
		case target != nil:
			number, ok := containerPort(target, port.Port.StrVal, protocol)
			if !ok {
				continue
			}
			portMatch = fmt.Sprintf("%s dport %d ", protocol, number)
		default:
			for _, pod := range pods {
				if number, ok := containerPort(pod, port.Port.StrVal, protocol); ok {
					for _, match := range among(addressSet([]*core.Pod{pod}), other) {
						found = append(found, fmt.Sprintf("%s%s dport %d ", match, protocol, number))
					}
				}
			}
			continue
		}
		for _, match := range peerMatches {
			found = append(found, match+portMatch)
		}
	}
	return
}

// Matches for the other side, of which one has to hold, and the pods among it. No peers at all means everybody.
func (v *view) peerMatches(peers []networking.NetworkPolicyPeer, namespace, other string) ([]string, []*core.Pod) {
	if len(peers) == 0 {
		return []string{""}, v.pods
	}
	var found []string
	var pods []*core.Pod
	for _, peer := range peers {
		if peer.IPBlock == nil {
			pods = append(pods, v.peers(peer, namespace)...)
			continue
		}
		family := familyOf(peer.IPBlock.CIDR)
		match := fmt.Sprintf("%s %s %s ", family, other, peer.IPBlock.CIDR)
		for _, except := range peer.IPBlock.Except {
			match += fmt.Sprintf("%s %s != %s ", family, other, except)
		}
		found = append(found, match)
	}
	return append(found, among(addressSet(pods), other)...), pods
}

func addressSet(pods []*core.Pod) map[string][]string {
	set := map[string][]string{}
	seen := map[string]bool{}
	for _, pod := range pods {
		for _, family := range families {
			for _, address := range addresses(pod, family) {
				if !seen[address] {
					seen[address] = true
					set[family] = append(set[family], address)
				}
			}
		}
	}
	return set
}

func among(set map[string][]string, other string) (found []string) {
	for _, family := range families {
		if len(set[family]) > 0 {
			sort.Strings(set[family])
			found = append(found, fmt.Sprintf("%s %s { %s } ", family, other, strings.Join(set[family], ", ")))
		}
	}
	return
}
