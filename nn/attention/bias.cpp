#include "nn/attention/bias.h"

namespace attend::ATTEND_PRECISION {

// Each row is defined in the file of its name.
BiasTable::Row bias_none(), bias_alibi(), bias_relative(), bias_t5(), bias_forget();

const BiasTable& bias_table() {
    static const BiasTable table("bias", {bias_none(), bias_alibi(), bias_relative(), bias_t5(), bias_forget()});
    return table;
}
const registry::AtStart bias_listed(bias_table());

}  // namespace attend::ATTEND_PRECISION
