"""What each backend runs, whatever the platform: `Workload`, and the function of each backend that makes one."""
