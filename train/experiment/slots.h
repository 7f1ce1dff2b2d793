#pragma once
/// The arrays of a model or optimiser that a file holds: which, and where their values live.
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/parameters.h"
#include "core/safetensors.h"

namespace attend::ATTEND_PRECISION {

struct Slot {
    std::string name;
    Shape shape;
    real* data = nullptr;
};

/// Parameters under their names, then named state. The store must outlive them.
std::vector<Slot> model_slots(ParameterStore& store);

/// How a file that does not fit is spoken of: "WHERE: 1 parameter missing (a); FILE holds 3 tensors, 4 expected; HINT".
struct SlotFile {
    std::string where, file, hint;
    std::string prefix;  ///< of the tensors' names in the file; tensors without it are not looked at
    std::function<bool(const std::string&)> wanted = nullptr;  ///< nor are those whose name it refuses; none: all are
};

/// Fills all slots from the file. Throws Error, with nothing read, when tensors are missing, of another shape or unknown: all
/// of them are counted and named.
void read_slots(const SafetensorsFile& file, const std::vector<Slot>& slots, const SlotFile& spoken);
/// The same from files that hold the arrays together.
void read_slots(std::span<const SafetensorsFile* const> files, const std::vector<Slot>& slots, const SlotFile& spoken);

}  // namespace attend::ATTEND_PRECISION
