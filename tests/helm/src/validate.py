"""Checks objects on standard input, a JSON list, against the schemas of the versions of Kubernetes that are named."""

import json
import sys

import kubernetes_validate

faults = 0
for thing in json.load(sys.stdin):
    name = f"{thing['kind']}/{thing['metadata']['name']}"
    for version in sys.argv[1:]:
        try:
            kubernetes_validate.validate(thing, version, strict=True)
        except Exception as error:  # each of its kinds of faults is one of the object
            print(f"{name}, Kubernetes {version}: {error}")
            faults += 1
sys.exit(1 if faults else 0)
