"""What needs several verbs."""
