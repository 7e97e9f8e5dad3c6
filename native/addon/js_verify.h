// verifyDirectory: log/verify.h for JavaScript, on threads of its own.
// Thread: JavaScript. Owns: nothing. After error: the promise is rejected with an error that has the code.
#pragma once

#include <napi.h>

namespace sluice::addon {

// (dir: string, topic: string) -> promise of the report; src/native/binding.ts describes it.
Napi::Value VerifyDirectory(const Napi::CallbackInfo& info);

}  // namespace sluice::addon
