"""Isolated environments in the user's cache: wheels that exclude one another, and two versions of one, side by side."""

from lstmbench.environments.build import install
from lstmbench.environments.choose import Chosen, choose, demand
from lstmbench.environments.pins import moved
from lstmbench.environments.place import find, python, remove, root
from lstmbench.environments.wanted import Wanted, wanted

__all__ = ["Chosen", "Wanted", "choose", "demand", "find", "install", "moved", "python", "remove", "root", "wanted"]
