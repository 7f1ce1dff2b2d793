#pragma once
/// Initial values of the parameters, and which parameters are frozen.
#include <string>

#include "core/base/options.h"
#include "core/parameters.h"

namespace attend::ATTEND_PRECISION {

/// Names are matched as file names are: '*' any characters, '?' one, [ab] one of these; several
/// patterns with commas between.
struct InitOptions {
    std::string from;
    std::string take = "*";
    std::string freeze;
    std::string vocabulary = "taken";
    void fields(Visitor& v);
};

/// Whether `name` matches one of the patterns.
bool matches_any(const std::string& patterns, const std::string& name);

/// Throws Error, naming the option init.`key`, when one of the patterns matches no parameter: it is
/// probably misspelt, and the run would train something else than was asked for.
void require_matches(const char* key, const std::string& text, const ParameterStore& store);
/// Whether there is a pattern at all.
bool has_patterns(const std::string& patterns);

/// Elements of the parameters that are frozen.
int64_t frozen_count(const ParameterStore& store);

/// Excludes the parameters that `freeze` matches from training. Throws Error when a pattern matches
/// none.
void freeze_parameters(const InitOptions& options, ParameterStore& store);

}  // namespace attend::ATTEND_PRECISION
