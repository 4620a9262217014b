#!/usr/bin/env bash
# sample: Put it right
# Written by sgltriage fix --script. Read it before you run it.
#   port: 30000  (server.log:12)
#     1 + 1 = 2
#   name: ask: the name
set -euo pipefail

# 1. Do it (change, reversible)
#    So.
#    done already if: it is there
#    a note
(cd '/srv/a b' && A='1 2' HF_TOKEN='‹hf_token:0768›' /bin/echo 'a b'"'"'s')
#    undo: /bin/rm x

# 2. Do it (change, reversible)
#    So.
#    -A=1
#    +A=2

# 3. Do it (manual, reversible)
#    run this on the host
#    So.
#    One.
#    Two.
#    $ reboot 'a b'

# 4. Do it (change, reversible)
#    left out: not needed here: gpu.count is 1

# 5. Do it (change, reversible)
#    left out: cannot be prepared: no program x

# afterwards: all is well
# look for: fired up
