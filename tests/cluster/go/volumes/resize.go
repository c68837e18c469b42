package main

import (
	"context"
	"encoding/json"
	"log"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
)

// Grows each volume whose claim asks for more than it has, and records the new size, first in the volume, then in the
// claim's status. Whether a class allows it is the API server's to say.
func grow(ctx context.Context, client kubernetes.Interface, factory informers.SharedInformerFactory) {
	claims := factory.Core().V1().PersistentVolumeClaims().Lister()
	volumes := factory.Core().V1().PersistentVolumes().Lister()
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	wait.UntilWithContext(ctx, func(ctx context.Context) {
		every, _ := claims.List(labels.Everything())
		for _, claim := range every {
			asked := claim.Spec.Resources.Requests[core.ResourceStorage]
			has := claim.Status.Capacity[core.ResourceStorage]
			if claim.Status.Phase != core.ClaimBound || asked.Cmp(has) <= 0 {
				continue
			}
			volume, err := volumes.Get(claim.Spec.VolumeName)
			if err != nil || volume.Annotations["pv.kubernetes.io/provisioned-by"] != provisionerName {
				continue
			}
			if err := growOne(ctx, client, claim, volume); err != nil {
				log.Printf("%s/%s can't grow, next try in a second: %v", claim.Namespace, claim.Name, err)
			}
		}
	}, time.Second)
}

func growOne(
	ctx context.Context, client kubernetes.Interface, claim *core.PersistentVolumeClaim, volume *core.PersistentVolume,
) error {
	asked := claim.Spec.Resources.Requests[core.ResourceStorage]
	if err := (disk{volume.Spec.Local.Path + suffix}).grow(asked.Value()); err != nil {
		return err
	}
	size := map[string]any{"capacity": map[string]string{"storage": asked.String()}}
	patch, err := json.Marshal(map[string]any{"spec": size})
	if err != nil {
		return err
	}
	volumes := client.CoreV1().PersistentVolumes()
	if _, err := volumes.Patch(ctx, volume.Name, types.MergePatchType, patch, meta.PatchOptions{}); err != nil {
		return err
	}
	size["conditions"] = nil // such as Resizing
	if patch, err = json.Marshal(map[string]any{"status": size}); err != nil {
		return err
	}
	owned := client.CoreV1().PersistentVolumeClaims(claim.Namespace)
	if _, err := owned.Patch(ctx, claim.Name, types.MergePatchType, patch, meta.PatchOptions{}, "status"); err != nil {
		return err
	}
	log.Printf("%s/%s has grown to %s", claim.Namespace, claim.Name, asked.String())
	return nil
}
