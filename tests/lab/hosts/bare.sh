#!/bin/bash
# No pool and no volume group; device-mapper loaded, four blank disks
true
