"""`python -m lstmbench`."""

from lstmbench.cli import main

main()
