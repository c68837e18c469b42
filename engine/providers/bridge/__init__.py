"""What providers have in common whose official twin is a Terraform provider behind Pulumi's bridge."""
