#include "train/run/build_info.h"

namespace attend::inline ATTEND_PRECISION {

const char* program_version() { return ATTEND_VERSION; }
const char* program_commit() { return ATTEND_COMMIT; }

}  // namespace attend::inline ATTEND_PRECISION
