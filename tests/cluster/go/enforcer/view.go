package main

import (
	"sort"
	"strings"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// What the API server knows, in an order that makes equal states give equal rules.
type view struct {
	pods       []*core.Pod // those with an address of their own
	namespaces map[string]labels.Set
	policies   []*networking.NetworkPolicy
}

func newView(pods []*core.Pod, namespaces []*core.Namespace, policies []*networking.NetworkPolicy) *view {
	v := &view{namespaces: map[string]labels.Set{}, policies: append([]*networking.NetworkPolicy{}, policies...)}
	for _, namespace := range namespaces {
		v.namespaces[namespace.Name] = namespace.Labels
	}
	// The address of a pod that has ended is given to the next one. Two with one address would make nft refuse all rules.
	sorted := append([]*core.Pod{}, pods...)
	sort.Slice(sorted, func(i, j int) bool {
		if a, b := sorted[i].CreationTimestamp, sorted[j].CreationTimestamp; !a.Equal(&b) {
			return b.Before(&a)
		}
		return sorted[i].UID < sorted[j].UID
	})
	taken := map[string]bool{}
	for _, pod := range sorted {
		ended := pod.Status.Phase == core.PodSucceeded || pod.Status.Phase == core.PodFailed
		if ended || pod.Spec.HostNetwork || pod.Status.PodIP == "" || taken[pod.Status.PodIP] {
			continue
		}
		taken[pod.Status.PodIP] = true
		v.pods = append(v.pods, pod)
	}
	sort.Slice(v.policies, func(i, j int) bool {
		a, b := v.policies[i], v.policies[j]
		return a.Namespace+"/"+a.Name < b.Namespace+"/"+b.Name
	})
	return v
}

// The policies that select a pod, for one direction.
func (v *view) selecting(pod *core.Pod, direction networking.PolicyType) (selected []*networking.NetworkPolicy) {
	for _, policy := range v.policies {
		if policy.Namespace == pod.Namespace && matches(&policy.Spec.PodSelector, pod.Labels) && has(policy, direction) {
			selected = append(selected, policy)
		}
	}
	return
}

// Without policyTypes a policy is one for ingress, and one for egress if it has such rules.
func has(policy *networking.NetworkPolicy, direction networking.PolicyType) bool {
	if len(policy.Spec.PolicyTypes) == 0 {
		return direction == networking.PolicyTypeIngress || len(policy.Spec.Egress) > 0
	}
	for _, each := range policy.Spec.PolicyTypes {
		if each == direction {
			return true
		}
	}
	return false
}

// The pods that a peer (which is no ipBlock) selects, in a policy of `namespace`.
func (v *view) peers(peer networking.NetworkPolicyPeer, namespace string) (selected []*core.Pod) {
	for _, pod := range v.pods {
		if peer.NamespaceSelector == nil {
			if pod.Namespace != namespace {
				continue
			}
		} else if known, ok := v.namespaces[pod.Namespace]; !ok || !matches(peer.NamespaceSelector, known) {
			continue
		}
		if peer.PodSelector == nil || matches(peer.PodSelector, pod.Labels) {
			selected = append(selected, pod)
		}
	}
	return
}

func matches(selector *meta.LabelSelector, set labels.Set) bool {
	parsed, err := meta.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(set) // the API server has validated it
}

// A pod's addresses of one family, `ip` or `ip6` in nft's words.
func addresses(pod *core.Pod, family string) (found []string) {
	for _, each := range pod.Status.PodIPs {
		if familyOf(each.IP) == family {
			found = append(found, each.IP)
		}
	}
	return
}

func familyOf(address string) string {
	if strings.Contains(address, ":") {
		return "ip6"
	}
	return "ip"
}

func containerPort(pod *core.Pod, name, protocol string) (int32, bool) {
	for _, container := range append(append([]core.Container{}, pod.Spec.Containers...), pod.Spec.InitContainers...) {
		for _, port := range container.Ports {
			if port.Name == name && lower(port.Protocol) == protocol {
				return port.ContainerPort, true
			}
		}
	}
	return 0, false
}

func lower(protocol core.Protocol) string {
	if protocol == "" {
		return "tcp"
	}
	return strings.ToLower(string(protocol))
}
