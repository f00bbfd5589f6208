"""What `benchmark_model` printed on other people's devices, shortened (padding too): known answers for the parser."""

# tensorflow/tensorflow issue 42507: an Android phone, four threads, with a profile of the initialization
WITH_MEMORY = """STARTING!
Num threads: [4]
Graph: [/data/local/tmp/espcn_harmonic_2x_slim_w_cl.tflite]
Loaded model /data/local/tmp/espcn_harmonic_2x_slim_w_cl.tflite
The input model file size (MB): 0.004448
Initialized session in 0.855ms.
Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
count=15 first=49060 curr=33682 min=32825 max=49060 avg=34825.1 std=3930

Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding 150 seconds.
count=50 first=32891 curr=33978 min=32641 max=34005 avg=33209.4 std=450

Inference timings in us: Init: 855, First inference: 49060, Warmup (avg): 34825.1, Inference (avg): 33209.4
Peak memory footprint (MB): init=0 overall=12.8672
"""

# google-research/google-research issue 802: a later version's words for memory
LATER_MEMORY = """count=478 first=2104 curr=1017 min=1012 max=2104 avg=1041.15 std=63

count=1000 first=1040 curr=1018 min=1012 max=1190 avg=1039.66 std=22

Inference timings in us: Init: 17851, First inference: 2104, Warmup (avg): 1041.15, Inference (avg): 1039.66
Memory footprint delta from the start of the tool (MB): init=10.7383 overall=12.1055
"""

# tensorflow/tensorflow issue 27948: one warm-up, and the profile of the first operators
WITH_PROFILE = """Initialized session in 253.8ms
Running benchmark for at least 1 iterations and at least 0.5 seconds
count=1 curr=980043

Running benchmark for at least 50 iterations and at least 1 seconds
count=50 first=948543 curr=944078 min=944078 max=955061 avg=947350 std=2060

============================== Run Order ==============================
\t [node type]\t [start]\t [first]\t [avg ms]\t [%]\t [cdf%]\t [mem KB]\t[times called]\t[Name]
\t DEPTHWISE_CONV_2D\t 0.000\t 538.139\t 536.830\t 56.668%\t 56.668%\t 0.000\t 1\t[srnetwork/Conv/Relu]
\t CONV_2D\t 536.833\t 20.081\t 20.083\t 2.120%\t 58.788%\t 0.000\t 1\t[srnetwork/Conv_1/Relu]
\t CONV_2D\t 556.918\t 36.430\t 36.419\t 3.844%\t 62.632%\t 0.000\t 1\t[srnetwork/Conv_2/Relu]

============================== Top by Computation Time ==============================
\t [node type]\t [start]\t [first]\t [avg ms]\t [%]\t [cdf%]\t [mem KB]\t[times called]\t[Name]
\t DEPTHWISE_CONV_2D\t 0.000\t 538.139\t 536.830\t 56.668%\t 56.668%\t 0.000\t 1\t[srnetwork/Conv/Relu]
"""

LITERT = """\
INFO: [benchmark_litert_model.cc:158] Loading model from: m.tflite
INFO: The input model file size (MB): 3.9
INFO: Initialized session in 25.1ms.
INFO: Running benchmark for at least 3 iterations and at least 0 seconds but terminate if exceeding 150 seconds.
INFO: count=3 first=9061 curr=8210 min=8210 max=9061 avg=8500.3 std=390 p5=8210 median=8230 p95=9061
INFO: Running benchmark for at least 1 iterations and at least 0 seconds but terminate if exceeding 150 seconds.
INFO: count=1 curr=8123 p5=8123 median=8123 p95=8123
INFO: [benchmark_litert_model.h:80] \

========== BENCHMARK RESULTS ==========
INFO: [benchmark_litert_model.h:81] Model initialization: 25.10 ms
INFO: [benchmark_litert_model.h:86] Inference (avg):      8.12 ms (1 runs)
INFO: [benchmark_litert_model.h:112] \

Memory Usage:
INFO: [benchmark_litert_model.h:114] Init footprint:       6.10 MB
INFO: [benchmark_litert_model.h:116] Overall footprint:    12.40 MB
INFO: [benchmark_litert_model.h:126] ======================================
"""
"""Composed after the formats of litert/tools/benchmark_litert_model.h and stats_calculator.h: of LiteRT's tool, one run."""
