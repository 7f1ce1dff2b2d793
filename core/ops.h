#pragma once
/// All ops.
#include "core/ops/arrange.h"
#include "core/ops/attention.h"
#include "core/ops/cross_entropy.h"
#include "core/ops/elementwise.h"
#include "core/ops/linear_attention.h"
#include "core/ops/matmul.h"
#include "core/ops/normalise.h"
#include "core/ops/pairs.h"
#include "core/ops/recurrent.h"
#include "core/ops/reduce.h"
#include "core/ops/relative.h"
#include "core/ops/rotary.h"
