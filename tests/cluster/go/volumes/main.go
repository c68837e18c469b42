// Makes and grows the cluster's volumes: PersistentVolumes of the type `local`, each a file system of the size that was
// asked for, in a file that is mounted on a loop device. So a volume can be full, and growing it is real.
package main

import (
	"context"
	"flag"
	"log"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "path of an administrator's kubeconfig")
	root := flag.String("root", "", "folder for the volumes, with one folder per node")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	ctx = klog.NewContext(ctx, klog.Background())

	// After a restart nothing is mounted, and kubelet would give the pods the empty folders.
	files, _ := filepath.Glob(filepath.Join(*root, "*", "*"+suffix))
	for _, file := range files {
		if err := (disk{file}).mount(); err != nil {
			log.Fatal(err)
		}
	}
	client := kubernetes.NewForConfigOrDie(config)
	go grow(ctx, client, informers.NewSharedInformerFactory(client, 0))
	controller.NewProvisionController(
		ctx, client, provisionerName, &provisioner{*root},
		controller.LeaderElection(false),
		controller.ResyncPeriod(time.Minute),
	).Run(ctx)
}
