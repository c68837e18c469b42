// Enforces NetworkPolicy (networking.k8s.io/v1) for the pods of one node, where pod traffic is routed (CNI `ptp`), so
// that every packet from or to a pod crosses netfilter's forward hook. On any change of pods, namespaces or policies
// it replaces one nftables table in one transaction. Told to end (SIGTERM), it removes the table: nothing is enforced.
// When it is killed the rules stay as they were.
package main

import (
	"context"
	"flag"
	"log"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// Changes come in bursts; one transaction takes a few milliseconds.
const burst = 50 * time.Millisecond

func main() {
	kubeconfig := flag.String("kubeconfig", "", "path of a kubeconfig that may list pods, namespaces and policies")
	node := flag.String("node", "", "name of the node that this runs on")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	factory := informers.NewSharedInformerFactory(kubernetes.NewForConfigOrDie(config), 0)
	pods := factory.Core().V1().Pods()
	namespaces := factory.Core().V1().Namespaces()
	policies := factory.Networking().V1().NetworkPolicies()
	changed := make(chan struct{}, 1)
	tell := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { tell() },
		UpdateFunc: func(_, _ any) { tell() },
		DeleteFunc: func(any) { tell() },
	}
	for _, informer := range []cache.SharedIndexInformer{pods.Informer(), namespaces.Informer(), policies.Informer()} {
		if _, err := informer.AddEventHandler(handler); err != nil {
			log.Fatal(err)
		}
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())

	applied := ""
	for ctx.Err() == nil {
		everyPod, _ := pods.Lister().List(labels.Everything())
		everyNamespace, _ := namespaces.Lister().List(labels.Everything())
		everyPolicy, _ := policies.Lister().List(labels.Everything())
		if rules := newView(everyPod, everyNamespace, everyPolicy).ruleset(*node); rules != applied {
			if output, err := nft(rules); err != nil {
				log.Printf("nft failed, the old rules stay, next try in 2 s: %v: %s\n%s", err, output, rules)
				time.AfterFunc(2*time.Second, tell)
			} else {
				log.Printf("applied: %d pods, %d policies", len(everyPod), len(everyPolicy))
				applied = rules
			}
		}
		select {
		case <-changed:
			time.Sleep(burst)
		case <-ctx.Done():
		}
	}
	if output, err := nft("table inet " + table + "\ndelete table inet " + table + "\n"); err != nil {
		log.Fatalf("the rules could not be removed: %v: %s", err, output)
	}
	log.Print("the rules are removed")
}

func nft(rules string) (string, error) {
	command := exec.Command("nft", "-f", "-")
	command.Stdin = strings.NewReader(rules)
	output, err := command.CombinedOutput()
	return string(output), err
}
