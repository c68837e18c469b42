package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

const provisionerName = "strata.dev/local"

type provisioner struct{ root string }

func (p *provisioner) Provision(
	_ context.Context, options controller.ProvisionOptions,
) (*core.PersistentVolume, controller.ProvisioningState, error) {
	claim := options.PVC
	if err := refusal(options); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	size := claim.Spec.Resources.Requests[core.ResourceStorage]
	volume := disk{filepath.Join(p.root, options.SelectedNodeName, options.PVName+suffix)}
	if err := volume.create(size.Value()); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	onThatNode := core.NodeSelectorRequirement{
		Key: core.LabelHostname, Operator: core.NodeSelectorOpIn, Values: []string{options.SelectedNodeName},
	}
	return &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{Name: options.PVName},
		Spec: core.PersistentVolumeSpec{
			AccessModes:                   claim.Spec.AccessModes,
			Capacity:                      core.ResourceList{core.ResourceStorage: size},
			PersistentVolumeReclaimPolicy: *options.StorageClass.ReclaimPolicy,
			StorageClassName:              options.StorageClass.Name,
			MountOptions:                  options.StorageClass.MountOptions,
			VolumeMode:                    claim.Spec.VolumeMode,
			PersistentVolumeSource: core.PersistentVolumeSource{
				Local: &core.LocalVolumeSource{Path: volume.mountpoint()},
			},
			NodeAffinity: &core.VolumeNodeAffinity{Required: &core.NodeSelector{
				NodeSelectorTerms: []core.NodeSelectorTerm{{MatchExpressions: []core.NodeSelectorRequirement{onThatNode}}},
			}},
		},
	}, controller.ProvisioningFinished, nil
}

func (p *provisioner) Delete(_ context.Context, volume *core.PersistentVolume) error {
	return disk{volume.Spec.Local.Path + suffix}.delete()
}

// Why a claim gets no volume from here, as an event of the claim tells its owner.
func refusal(options controller.ProvisionOptions) error {
	claim := options.PVC
	if options.SelectedNodeName == "" {
		return errors.New("a local volume is on the node of its pod: set volumeBindingMode: WaitForFirstConsumer")
	}
	if size := claim.Spec.Resources.Requests[core.ResourceStorage]; size.Value() < smallest {
		return fmt.Errorf("a volume of %s is too small: ask for 16Mi or more", size.String())
	}
	if claim.Spec.Selector != nil {
		return errors.New("claims with a selector are not provisioned")
	}
	if mode := claim.Spec.VolumeMode; mode != nil && *mode == core.PersistentVolumeBlock {
		return errors.New("volumeMode Block is not provisioned: use Filesystem")
	}
	for _, mode := range claim.Spec.AccessModes {
		if mode != core.ReadWriteOnce && mode != core.ReadWriteOncePod {
			return fmt.Errorf("a local volume is on one node: access mode %s is not provisioned", mode)
		}
	}
	return nil
}
