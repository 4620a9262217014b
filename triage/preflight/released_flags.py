"""The options of the server in each release that was looked at. Written by flag_table_writer.py: do not edit."""

from __future__ import annotations

RELEASES = (
    "0.4.3.post4",
    "0.4.6.post5",
    "0.4.9.post2",
    "0.5.3",
    "0.5.6",
    "0.5.8",
    "0.5.9",
    "0.5.10",
    "0.5.14",
    "0.5.18",
    "0.5.23",
)
"""Oldest first."""

TABLE = {
    "xxxxxxxxxxx": """
        --allow-auto-truncate --api-key --attention-backend --base-gpu-id --chat-template
        --chunked-prefill-size --constrained-json-whitespace-pattern --context-length --cpu-offload-gb
        --data-parallel-size --debug-tensor-dump-input-file --debug-tensor-dump-output-folder
        --decode-log-interval --delete-ckpt-after-loading --device --disable-cuda-graph
        --disable-cuda-graph-padding --disable-custom-all-reduce --disable-outlines-disk-cache
        --disable-overlap-schedule --disable-radix-cache --dist-init-addr --dist-timeout --download-dir
        --dp-size --dtype --enable-cache-report --enable-custom-logit-processor --enable-dp-attention
        --enable-hierarchical-cache --enable-memory-saver --enable-metrics --enable-mixed-chunk
        --enable-nccl-nvls --enable-p2p-check --enable-torch-compile --ep-size --expert-parallel-size
        --file-storage-path --flashinfer-mla-disable-ragged --gpu-id-step --grammar-backend --host
        --is-embedding --json-model-override-args --kv-cache-dtype --load-balance-method --load-format
        --log-level --log-level-http --log-requests --log-requests-level --lora-backend --lora-paths
        --max-loras-per-batch --max-prefill-tokens --max-running-requests --max-total-tokens
        --mem-fraction-static --model-path --nccl-init-addr --nnodes --node-rank --num-continuous-decode-steps
        --port --quantization --quantization-param-path --random-seed --reasoning-parser --revision
        --sampling-backend --schedule-conservativeness --schedule-policy --served-model-name --show-time-cost
        --skip-tokenizer-init --speculative-accept-threshold-acc --speculative-accept-threshold-single
        --speculative-algorithm --speculative-draft-model-path --speculative-eagle-topk
        --speculative-num-draft-tokens --speculative-num-steps --speculative-token-map --stream-interval
        --tensor-parallel-size --tokenizer-mode --tokenizer-path --tool-call-parser --torch-compile-max-bs
        --tp-size --triton-attention-num-kv-splits --triton-attention-reduce-in-fp32 --trust-remote-code
        --warmups --watchdog-timeout
    """,
    "xxxxxxxxxx.": """
        --cuda-graph-bs --cuda-graph-max-bs --stream-output
    """,
    "xxxxxxxxx..": """
        --torchao-config
    """,
    "xxxxxxxx...": """
        --debug-tensor-dump-inject --ds-channel-config-path --ds-heavy-channel-num --ds-heavy-channel-type
        --ds-heavy-token-num --ds-sparse-decode-threshold --enable-double-sparsity --enable-nan-detection
    """,
    "xxxx.......": """
        --enable-ep-moe
    """,
    "xx.........": """
        --enable-flashinfer-mla
    """,
    "x..........": """
        --disable-mla
    """,
    ".xxxxxxxxxx": """
        --bucket-e2e-request-latency --bucket-inter-token-latency --bucket-time-to-first-token
        --completion-template --deepep-config --deepep-mode --disable-chunked-prefix-cache
        --disable-fast-image-processor --disaggregation-bootstrap-port --disaggregation-ib-device
        --disaggregation-mode --disaggregation-transfer-backend --enable-dp-lm-head --enable-eplb
        --enable-multimodal --enable-request-time-stats-logging --enable-tokenizer-batch-encode
        --ep-dispatch-algorithm --ep-num-redundant-experts --eplb-rebalance-num-iterations
        --expert-distribution-recorder-buffer-size --expert-distribution-recorder-mode --hicache-ratio
        --hicache-size --hicache-write-policy --init-expert-location --kv-events-config --mm-attention-backend
        --moe-dense-tp-size --page-size --pipeline-parallel-size --pp-size --preferred-sampling-params
    """,
    ".xxxxxxxxx.": """
        --collect-tokens-histogram --enable-expert-distribution-metrics
    """,
    ".xxx.......": """
        --enable-deepep-moe --max-micro-batch-size
    """,
    ".xx........": """
        --pdlb-url
    """,
    ".x.........": """
        --enable-flashmla --n-share-experts-fusion
    """,
    "..xxxxxxxxx": """
        --crash-dump-folder --custom-weight-loader --disable-shared-experts-fusion
        --enable-flashinfer-allreduce-fusion --enable-mscclpp --enable-profile-cuda-graph
        --enable-return-hidden-states --enable-two-batch-overlap --eplb-algorithm
        --eplb-rebalance-layers-per-chunk --hicache-io-backend --model --model-loader-extra-config --nccl-port
        --num-reserved-decode-tokens --skip-server-warmup --sleep-on-idle --weight-loader-disable-mmap
    """,
    "..xxxxxx...": """
        --hybrid-kvcache-ratio
    """,
    "..xxxxx....": """
        --disaggregation-decode-dp --disaggregation-decode-tp --disaggregation-prefill-pp
    """,
    "..xx.......": """
        --debug-tensor-dump-prefill-only --enable-triton-kernel-moe
    """,
    "..x........": """
        --disable-overlap-cg-plan --enable-flashinfer-moe --impl
    """,
    "...xxxxxxxx": """
        --config --decode-attention-backend --disable-flashinfer-cutlass-moe-fp4-allgather
        --disable-hybrid-swa-memory --disaggregation-decode-enable-offload-kvcache
        --disaggregation-decode-polling-interval --dynamic-batch-tokenizer-batch-size
        --dynamic-batch-tokenizer-batch-timeout --enable-cudagraph-gc --enable-deterministic-inference
        --enable-dynamic-batch-tokenizer --enable-fp32-lm-head --enable-lmcache --enable-lora
        --enable-metrics-for-all-schedulers --enable-pdmux --enable-priority-scheduling
        --enable-single-batch-overlap --enable-symm-mem --enable-torch-symm-mem --enable-trace
        --enable-weights-cpu-backup --ep --eplb-min-rebalancing-utilization-threshold
        --flashinfer-mxfp4-moe-precision --gc-warning-threshold-secs --generation-tokens-buckets
        --hicache-mem-layout --hicache-storage-backend --hicache-storage-backend-extra-config
        --hicache-storage-prefetch-policy --lora-target-modules --mamba-ssm-dtype --max-loaded-loras
        --max-lora-chunk-size --max-lora-rank --max-mamba-cache-size --max-queued-requests --model-impl
        --moe-a2a-backend --moe-runner-backend --numa-node --offload-group-size --offload-mode
        --offload-num-in-group --offload-prefetch-step --prefill-attention-backend
        --priority-scheduling-preemption-threshold --prompt-tokens-buckets --radix-eviction-policy
        --remote-instance-weight-loader-seed-instance-ip
        --remote-instance-weight-loader-seed-instance-service-port
        --remote-instance-weight-loader-send-weights-group-ports --schedule-low-priority-values-first
        --scheduler-recv-interval --sm-group-num --speculative-attention-mode --speculative-draft-model
        --speculative-draft-model-revision --speculative-ngram-capacity --speculative-ngram-match-type
        --speculative-ngram-max-bfs-breadth --speculative-ngram-min-bfs-breadth --swa-full-tokens-ratio
        --tbo-token-distribution-threshold --tokenizer-metrics-allowed-custom-labels
        --tokenizer-metrics-custom-labels-header --tokenizer-worker-num --tool-server
        --triton-attention-split-tile-size --weight-version
    """,
    "...xxxxxxx.": """
        --keep-mm-feature-on-device --prefill-round-robin-balance
    """,
    "...xxxx....": """
        --speculative-ngram-branch-length --speculative-ngram-max-match-window-size
        --speculative-ngram-min-match-window-size
    """,
    "...xx......": """
        --load-watch-interval
    """,
    "...x.......": """
        --enable-flashinfer-cutedsl-moe --enable-flashinfer-cutlass-moe --enable-flashinfer-mxfp4-moe
        --enable-flashinfer-trtllm-moe --nsa-decode --nsa-prefill --oltp-traces-endpoint
    """,
    "....xxxxxxx": """
        --abort-on-priority-when-disabled --checkpoint-engine-wait-weights-before-ready
        --constrained-json-disable-any-whitespace --debug-tensor-dump-layers --decrypted-config-file
        --decrypted-draft-config-file --disable-tokenizer-batch-decode --dllm-algorithm --elastic-ep-backend
        --enable-attn-tp-input-scattered --enable-broadcast-mm-inputs-process --enable-draft-weights-cpu-backup
        --enable-layerwise-nvtx-marker --enable-torch-compile-debug-mode --export-metrics-to-file
        --export-metrics-to-file-dir --fastapi-root-path --forward-hooks --grpc-mode --kt-cpuinfer
        --kt-max-deferred-experts-per-token --kt-method --kt-num-gpu-experts --kt-threadpool-count
        --kt-weight-path --lora-eviction-policy --mamba-full-memory-ratio --mm-enable-dp-encoder
        --mm-process-config --modelopt-checkpoint-restore-path --modelopt-checkpoint-save-path
        --modelopt-export-path --modelopt-quant --mooncake-ib-device --otlp-traces-endpoint --pdmux-config-path
        --pp-max-micro-batch-size --quantize-and-serve --rl-on-policy-target --sampling-defaults
        --speculative-draft-load-format --speculative-moe-runner-backend
    """,
    "....xxxxxx.": """
        --enable-nsa-prefill-context-parallel --nsa-decode-backend --nsa-prefill-backend
        --piecewise-cuda-graph-compiler --piecewise-cuda-graph-max-tokens --piecewise-cuda-graph-tokens
    """,
    "....xxxx...": """
        --enable-piecewise-cuda-graph --multi-item-scoring-delimiter
    """,
    "....xxx....": """
        --mm-max-concurrent-calls --mm-per-request-timeout
    """,
    "....x......": """
        --dllm-block-size --enable-flashinfer-autotune
    """,
    ".....xxxxxx": """
        --admin-api-key --disable-flashinfer-autotune --dllm-algorithm-config --enable-dynamic-chunking
        --enable-fused-qk-norm-rope --enable-lora-overlap-loading --enable-multi-layer-eagle
        --enable-precise-embedding-interpolation --enable-prefill-delayer --enable-prefix-mm-cache
        --enable-return-routed-experts --encoder-only --encoder-transfer-backend --encoder-urls
        --fp4-gemm-backend --fp8-gemm-backend --hf-chat-template-name --language-only
        --limit-mm-data-per-request --log-requests-format --log-requests-target --mamba-track-interval
        --model-checksum --pp-async-batch-depth --prefill-delayer-forward-passes-buckets
        --prefill-delayer-max-delay-passes --prefill-delayer-token-usage-low-watermark
        --prefill-delayer-wait-seconds-buckets --prefill-max-requests --remote-instance-weight-loader-backend
        --remote-instance-weight-loader-start-seed-via-transfer-engine --rl-quant-profile
        --soft-watchdog-timeout --speculative-draft-attention-backend --speculative-draft-model-quantization
        --speculative-moe-a2a-backend --uvicorn-access-log-exclude-prefixes
    """,
    ".....xxxxx.": """
        --mamba-scheduler-strategy --nsa-prefill-cp-mode
    """,
    ".....xxx...": """
        --custom-sigquit-handler
    """,
    ".....xx.xxx": """
        --hierarchical-sparse-attention-extra-config
    """,
    ".....xx....": """
        --disable-hicache-numa-detect
    """,
    ".....x.....": """
        --disaggregation-decode-enable-fake-auto
    """,
    "......xxxxx": """
        --attention-context-parallel-size --attn-cp-size --extra-metric-labels --mamba-backend
        --moe-data-parallel-size --moe-dp-size
    """,
    ".......xxxx": """
        --default-priority-value --disable-priority-preemption --enable-adaptive-dispatch-to-encoder
        --enable-aiter-allreduce-fusion --enable-elastic-expert-backup --enable-fused-moe-sum-all-reduce
        --enable-hisparse --enable-mfu-metrics --enable-mm-global-cache --enable-ssl-refresh
        --enable-streaming-session --enforce-disable-flashinfer-allreduce-fusion --engine-info-bootstrap-port
        --experts-shared-outer-loras --gc-threshold --hisparse-config --incremental-streaming-output
        --linear-attn-backend --linear-attn-decode-backend --linear-attn-prefill-backend --modelexpress-config
        --pre-warm-nccl --speculative-ngram-max-trie-depth --ssl-ca-certs --ssl-certfile --ssl-keyfile
        --ssl-keyfile-password --stream-response-default-include-usage --use-ray
    """,
    ".......xxx.": """
        --disable-piecewise-cuda-graph --enable-prefill-context-parallel --enforce-piecewise-cuda-graph
        --prefill-cp-mode
    """,
    "........xxx": """
        --asr-max-buffer-seconds --asr-max-concurrent-sessions --batch-notify-size --cp-strategy
        --cuda-graph-backend-decode --cuda-graph-backend-prefill --cuda-graph-bs-decode --cuda-graph-bs-prefill
        --cuda-graph-config --cuda-graph-max-bs-decode --cuda-graph-max-bs-prefill --debug-cuda-graph
        --deepep-dispatcher-output-dtype --detokenizer-worker-num --disable-attn-tp-gather
        --disable-decode-cuda-graph --disable-prefill-cuda-graph --disaggregation-decode-enable-radix-cache
        --disaggregation-decode-extra-slots --dsa-decode-backend --dsa-prefill-backend --dsa-topk-backend
        --enable-deepseek-v4-fp4-indexer --enable-dp-attention-local-control-broadcast
        --enable-forward-pass-metrics --enable-http2 --enable-int8-mamba-checkpoint --enable-mis
        --enable-prefill-cp --enable-quant-communications --enable-return-indexer-topk --enable-strict-thinking
        --encoder-bootstrap-port --encoder-register-urls --enforce-shared-experts-fusion
        --flashinfer-allreduce-fusion-backend --forward-pass-metrics-ipc-name --forward-pass-metrics-worker-id
        --grpc-http-sidecar-port --int8-mamba-ckpt-size --kv-canary --kv-canary-real-data
        --kv-canary-sweep-interval --lmcache-config-file --load-snapshot-publish-interval
        --lora-drain-wait-threshold --lora-strict-loading --lora-use-virtual-experts
        --mamba-radix-cache-strategy --model-config-parser --msprobe-dump-config --prefill-delayer-max-delay-ms
        --prefill-delayer-queue-min-ratio --prefill-only-disable-kv-cache --radix-cache-backend
        --speculative-adaptive --speculative-adaptive-config --speculative-dflash-block-size
        --speculative-draft-window-size --speculative-ngram-external-corpus-max-tokens
        --speculative-ngram-external-corpus-path --speculative-ngram-external-sam-budget
        --speculative-use-rejection-sampling --strip-thinking-cache --tokenizer-backend --trace-modules
        --weight-loader-drop-cache-after-load --weight-loader-prefetch-checkpoints
        --weight-loader-prefetch-num-threads
    """,
    "........xx.": """
        --cuda-graph-tc-compiler --dsa-prefill-cp-mode --elastic-ep-rejoin --enable-breakable-cuda-graph
        --enable-dsa-prefill-context-parallel --speculative-dflash-draft-window-size
        --speculative-skip-dp-mlp-sync
    """,
    "........x..": """
        --enable-deepep-waterfill --optimistic-prefill-retries
    """,
    ".........xx": """
        --allowed-media-domains --bf16-gemm-backend --c128-page-size --dcp-comm-backend --dcp-replicate-q-proj
        --dcp-size --decode-context-parallel-size --decoupled-spec-bind-endpoint
        --decoupled-spec-connect-endpoints --decoupled-spec-rank --decoupled-spec-role
        --default-chat-template-kwargs --disaggregation-decode-retraction-backup --dllm-fdfo
        --dsa-paged-mqa-logits-backend --dwdp-size --elastic-ep-initial-size --elastic-ep-join-mode
        --elastic-ep-join-rank-offset --elastic-ep-scale-timeout --enable-cp-decode-attn-tp
        --enable-dsa-cache-layer-split --enable-flexkv --enable-linear-replayssm --enable-linear-replayssm-spec
        --enable-mamba-cache-stochastic-rounding --enable-page-major-kv-layout --enable-scattered-sconv
        --enable-session-radix-cache --enable-tf32-matmul --enable-tp-lm-head-all-to-all
        --enable-unified-memory --enable-waterfill --expert-balancedness-report-mode
        --flashinfer-autotune-skip-ops --flexkv-config-file --fuseep-mode --grpc-port
        --http2-max-concurrent-streams --image-processor-backend --language-model-only
        --linear-attn-verify-backend --linear-replayssm-cache-len --mamba-cache-philox-rounds
        --mamba-max-states-per-path --max-ep-size --media-url-max-file-size-mb --min-free-slots-delay
        --mlx-enable-sampling --mm-feature-transport --mm-global-cache-backend --mm-io-worker-num
        --mm-preprocess-cache-size-mb --mm-processor-worker-num --optimistic-prefill-attempts
        --retraction-policy --return-hidden-states-mode --sidecar --sidecar-args --smg-grpc-mode
        --smg-http-sidecar-port --spec-trace-dir --speculative-draft-kv-cache-dtype
        --speculative-dspark-align-verify-tokens-to-graph-tier --speculative-dspark-block-size
        --speculative-dspark-confidence-sts-path --speculative-dspark-sps-table-path --startup-weight-load-mode
        --trust-mm-content-hashes --weight-cache-mode --weight-cache-socket --weight-cache-timeout
    """,
    ".........x.": """
        --enable-gdn-replayssm-spec
    """,
    "..........x": """
        --attention-data-parallel-size --attn-dp-size --boundary-reduction
        --constrained-json-max-whitespace-cnt --context-bucket --cuda-graph-max-seq-len-prefill
        --cuda-graph-prefill-max-context --deepep-v2-mode --disable-aiter-allreduce-fusion-in-decode
        --disable-aiter-allreduce-fusion-in-prefill --disaggregation-decode-allocation-policy
        --disaggregation-decode-host-receive-threshold --disaggregation-enable-kv-checksum --dsa-triton-union
        --dsv4-attn-backend --dsv4-prefill-backend --enable-amd-monokernel --enable-decoder-swa-bounded-replay
        --enable-dense-mlp-attn-tp --enable-dsa-fused-indexer --enable-encoder-swa-bounded-replay
        --enable-hicache --enable-http-worker-reuseport --enable-kv-cache-sharding --enable-layernorm-sp
        --enable-lean-attention --enable-linker-mla-dedup --enable-megamoe-for-layernorm-sp
        --enable-nvidia-megakernel --enable-paged-experts --enable-pd-role-switch --enable-response-store
        --enable-return-aux-hidden-states --enable-shared-experts-attn-tp
        --enable-unified-cache-external-linker --enable-w4a4-mxfp4-megamoe --enable-watermark
        --flashinfer-a2a-dispatch-type --gated-launch-port --grpc-response-timeout-secs
        --hicache-host-memory-fraction --hicache-host-memory-mode --hicache-storage-prefetch-retry-max-attempts
        --hicache-storage-prefetch-retry-poll-interval --http2-initial-connection-window-size
        --load-publish-endpoint --monokernel-backend --otlp-service-name --paged-experts-num-resident
        --ple-offload-backend --ple-offload-dir --ple-offload-embedding --prefill-decode-interval
        --prefill-decode-interval-min-bs --prefill-kv-cache-dequant-dtype --qsa-indexer-dtype
        --radix-eviction-policy-config --return-aux-hidden-state-layer-ids --return-input-ids
        --return-output-ids --sampling-mask-max-tokens --shared-experts-tp-size
        --speculative-domino-candidate-pool-size --speculative-draft-sink-size --speculative-dsa-topk-backend
        --speculative-enable-w4a4-mxfp4-megamoe --speculative-use-block-verification --swa-prefix-tails
        --trust-request-chat-template --unified-cache-external-linker-backend
        --unified-cache-external-linker-config --uno-lora-path --watermark-config
    """,
}
"""Options by the releases that take them: one character a release, ``x`` where it does."""
