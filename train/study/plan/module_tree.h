#pragma once
/// A model's parameters as a tree of modules.
#include <string>
#include <vector>

#include "core/parameters.h"

namespace attend::plan {

/// The parameters below one part of a name: a module, or one parameter.
struct Module {
    std::string name;   ///< "encoder", "weight"
    std::string shape;  ///< of a parameter; "" for a module
    int64_t count = 0;  ///< elements
    bool trainable = true;
    std::vector<Module> parts;  ///< of a module, in the order of the store
};

/// The table of a store as a tree of modules.
Module tree_of(const ParameterStore& store, const std::string& name);

}  // namespace attend::plan
