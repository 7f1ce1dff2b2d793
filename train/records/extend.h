#pragma once

namespace attend {

/// Whether a run may continue beyond the end that it was begun with.
enum class Extend {
    no,
    yes,
    with_schedule,  ///< yes, and the experiment's schedule is meant for the steps that are added, also where it is the same
};

}  // namespace attend
