#pragma once
/// Which instruction sets the kernels are compiled for. Include before any Highway header. Wanted:
/// AVX2, AVX-512 and NEON, chosen at run time. SSE is off (one fallback is enough for machines that
/// old: plain scalar code, the baseline target of an x86-64 compile with g++ 12), and so is SVE,
/// whose vectors have no operators.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)

/// Defines the kernel NAME that a header declares: a function of its type that calls what was
/// compiled for this processor.
#define ATTEND_KERNEL(name)                                                                                 \
    HWY_EXPORT(name);                                                                                       \
    constinit decltype(name) name = []<class Result, class... Parameters>(Result (*)(Parameters...)) {      \
        return +[](Parameters... arguments) -> Result { return HWY_DYNAMIC_DISPATCH(name)(arguments...); }; \
    }(&HWY_STATIC_DISPATCH(name))
