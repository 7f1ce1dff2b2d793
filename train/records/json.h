#pragma once
/// The name of a JSON value, members in their order. Sources that look into one include
/// <nlohmann/json.hpp>, which takes seconds to compile; RecordReader and RecordWriter do without in
/// most.
#include <nlohmann/json_fwd.hpp>

namespace attend {

using Json = nlohmann::ordered_json;

}  // namespace attend
