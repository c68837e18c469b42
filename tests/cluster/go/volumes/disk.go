package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// XFS grows while it is mounted, which for ext4 takes a capability (CAP_SYS_RESOURCE) that sandboxes lack.
const suffix = ".xfs"

// Bytes; mkfs.xfs makes none that is smaller.
const smallest = 16 << 20

// A file with a file system in it. `path` is the file's.
type disk struct{ path string }

// Where it is mounted.
func (d disk) mountpoint() string { return strings.TrimSuffix(d.path, suffix) }

// Makes and mounts a file system of `size` bytes. Does nothing where that was done before.
func (d disk) create(size int64) error {
	if _, err := os.Stat(d.path); errors.Is(err, os.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(d.path), 0o755); err != nil {
			return err
		}
		partial := d.path + ".partial"
		file, err := os.Create(partial)
		if err != nil {
			return err
		}
		if err := errors.Join(file.Truncate(size), file.Close()); err != nil {
			return err
		}
		// Unsupported is what is smaller than 300 MB.
		if err := run("mkfs.xfs", "-q", "-f", "--unsupported", partial); err != nil {
			return err
		}
		if err := os.Rename(partial, d.path); err != nil {
			return err
		}
	}
	return d.mount()
}

func (d disk) mount() error {
	if err := os.MkdirAll(d.mountpoint(), 0o755); err != nil {
		return err
	}
	if mounted, err := d.mounted(); mounted || err != nil {
		return err
	}
	return run("mount", "-t", "xfs", "-o", "loop", d.path, d.mountpoint())
}

// Whether the mountpoint is on another device than the folder that it is in.
func (d disk) mounted() (bool, error) {
	var inside, outside unix.Stat_t
	if err := errors.Join(unix.Stat(d.mountpoint(), &inside), unix.Stat(filepath.Dir(d.path), &outside)); err != nil {
		return false, err
	}
	return inside.Dev != outside.Dev, nil
}

// Makes the file system larger while it is in use.
func (d disk) grow(size int64) error {
	info, err := os.Stat(d.path)
	if err != nil {
		return err
	}
	if info.Size() < size {
		if err := os.Truncate(d.path, size); err != nil {
			return err
		}
	}
	device, err := exec.Command("findmnt", "-n", "-o", "SOURCE", d.mountpoint()).Output()
	if err != nil {
		return fmt.Errorf("%s is not mounted: %w", d.mountpoint(), err)
	}
	name := strings.TrimSpace(string(device))
	return errors.Join(run("losetup", "--set-capacity", name), run("xfs_growfs", "-d", d.mountpoint()))
}

func (d disk) delete() error {
	if mounted, err := d.mounted(); errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	} else if mounted {
		if err := run("umount", d.mountpoint()); err != nil {
			return err
		}
	}
	if err := os.Remove(d.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Remove(d.mountpoint()) // only when it is empty: what is in there would be no volume's
}

func run(name string, arguments ...string) error {
	if output, err := exec.Command(name, arguments...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(arguments, " "), err, strings.TrimSpace(string(output)))
	}
	return nil
}
