#include "train/records/build_info.h"

namespace attend {

const char* program_version() { return ATTEND_VERSION; }
const char* program_commit() { return ATTEND_COMMIT; }

std::string program_name() {
    const std::string version = program_version(), commit = program_commit();
    return commit.empty() ? version : version + " " + commit;
}

}  // namespace attend
