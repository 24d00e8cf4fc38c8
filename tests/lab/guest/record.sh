#!/bin/bash
# Records this host.
exec thinscope capture -o "/results/$LAB_HOST.capture"
