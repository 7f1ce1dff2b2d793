#pragma once
/// The arrays of a model or optimiser that a file contains, and where their values are in memory.
#include <functional>
#include <span>
#include <string>
#include <string_view>
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

/// What messages call a file that does not fit: "WHERE: 1 parameter missing (a); FILE holds 3
/// tensors, 4 expected; HINT".
struct SlotFile {
    std::string where, file, hint;
    std::string prefix;  ///< of the tensors' names in the file; tensors without it are ignored
    std::function<bool(const std::string&)> wanted = nullptr;  ///< tensors whose names it refuses are ignored, too; null: none
};

/// The file that contains a tensor; null where none does.
const SafetensorsFile* holder_of(std::span<const SafetensorsFile> files, std::string_view name);
/// Fills all slots from the file, or the files that contain the arrays together. When tensors are
/// missing, of another shape or unknown, throws Error that names all of them, and reads nothing.
void read_slots(std::span<const SafetensorsFile> files, const std::vector<Slot>& slots, const SlotFile& spoken);

}  // namespace attend::ATTEND_PRECISION
