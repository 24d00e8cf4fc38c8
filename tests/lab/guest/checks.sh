#!/bin/bash
# Runs the checks that are named, one after the other, on this host, and adds up.
passed=0 failed=0
for check in "$@"; do
    echo "== $check"
    bash "$LAB/guest/checks/$check.sh" >"/results/$check.log" 2>&1
    status=$?
    cat "/results/$check.log"
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "/results/$check.log" | tail -n 1)
    [ -n "$line" ] || { line="0 passed, 1 failed"; echo "FAILED: $check ended with $status and no closing line"; }
    passed=$((passed + ${line%% passed*})) line=${line#*, }
    failed=$((failed + ${line%% failed*}))
    # one that broke off says so by its status alone
    if [ "$status" != 0 ] && [ "$line" = "0 failed" ]; then
        failed=$((failed + 1))
        echo "FAILED: $check ended with $status"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
