"""The functions of macOS's libraries that the sensors call. Signatures alone, no logic.

CoreFoundation, IOKit's services and power sources, sysctl(3) and notify(3) are public: their signatures are those of
Apple's headers. IOReport and IOKit's HID clients have no public header; their signatures are those that macmon, mactop
and SiliconScope call them by. A function with Create or Copy in its name returns a reference that the caller must
release; one with Get does not.
"""

from ctypes import (
    POINTER,
    Structure,
    c_bool,
    c_char_p,
    c_double,
    c_int,
    c_int32,
    c_int64,
    c_long,
    c_size_t,
    c_uint32,
    c_uint64,
    c_ulong,
    c_void_p,
)

from edgeprof_agent.sensors.apple.c_library import Signature

CORE_FOUNDATION = "System/Library/Frameworks/CoreFoundation.framework/CoreFoundation"
IO_KIT = "System/Library/Frameworks/IOKit.framework/IOKit"
IO_REPORT = "usr/lib/libIOReport.dylib"
SYSTEM = "usr/lib/libSystem.B.dylib"
METAL = "System/Library/Frameworks/Metal.framework/Metal"
OBJECTIVE_C = "usr/lib/libobjc.A.dylib"

# From CFString.h and CFNumber.h.
ENCODING_UTF8 = 0x08000100
NUMBER_SINT32, NUMBER_SINT64 = 3, 4

_REFERENCE = c_void_p  # to an object of CoreFoundation, or to one that is counted like it
_PORT = c_uint32  # a Mach port: a service, an iterator, a connection, a task
_OUT_PORT = POINTER(c_uint32)
_OUT_REFERENCE = POINTER(c_void_p)


class TimebaseInfo(Structure):
    """``mach_timebase_info_data_t``: nanoseconds are ticks times ``numer`` by ``denom``."""

    _fields_ = (("numer", c_uint32), ("denom", c_uint32))


CORE_FOUNDATION_FUNCTIONS = {
    "CFRelease": Signature(None, (_REFERENCE,)),
    "CFGetTypeID": Signature(c_ulong, (_REFERENCE,)),
    "CFStringGetTypeID": Signature(c_ulong),
    "CFNumberGetTypeID": Signature(c_ulong),
    "CFDataGetTypeID": Signature(c_ulong),
    "CFArrayGetTypeID": Signature(c_ulong),
    "CFDictionaryGetTypeID": Signature(c_ulong),
    "CFStringCreateWithCString": Signature(_REFERENCE, (_REFERENCE, c_char_p, c_uint32)),
    "CFStringGetCString": Signature(c_bool, (_REFERENCE, c_char_p, c_long, c_uint32)),
    "CFNumberCreate": Signature(_REFERENCE, (_REFERENCE, c_long, c_void_p)),
    "CFNumberGetValue": Signature(c_bool, (_REFERENCE, c_long, c_void_p)),
    "CFDataGetLength": Signature(c_long, (_REFERENCE,)),
    "CFDataGetBytePtr": Signature(c_void_p, (_REFERENCE,)),
    "CFArrayCreateMutable": Signature(_REFERENCE, (_REFERENCE, c_long, c_void_p)),
    "CFArrayAppendValue": Signature(None, (_REFERENCE, _REFERENCE)),
    "CFArrayGetCount": Signature(c_long, (_REFERENCE,)),
    "CFArrayGetValueAtIndex": Signature(_REFERENCE, (_REFERENCE, c_long)),
    "CFDictionaryCreateMutable": Signature(_REFERENCE, (_REFERENCE, c_long, c_void_p, c_void_p)),
    "CFDictionaryCreateMutableCopy": Signature(_REFERENCE, (_REFERENCE, c_long, _REFERENCE)),
    "CFDictionaryGetValue": Signature(_REFERENCE, (_REFERENCE, _REFERENCE)),
    "CFDictionarySetValue": Signature(None, (_REFERENCE, _REFERENCE, _REFERENCE)),
}

IO_REPORT_FUNCTIONS = {
    "IOReportCopyChannelsInGroup": Signature(_REFERENCE, (_REFERENCE, _REFERENCE, c_uint64, c_uint64, c_uint64)),
    "IOReportCreateSubscription": Signature(_REFERENCE, (c_void_p, _REFERENCE, _OUT_REFERENCE, c_uint64, _REFERENCE)),
    "IOReportCreateSamples": Signature(_REFERENCE, (_REFERENCE, _REFERENCE, _REFERENCE)),
    "IOReportCreateSamplesDelta": Signature(_REFERENCE, (_REFERENCE, _REFERENCE, _REFERENCE)),
    "IOReportChannelGetGroup": Signature(_REFERENCE, (_REFERENCE,)),
    "IOReportChannelGetSubGroup": Signature(_REFERENCE, (_REFERENCE,)),
    "IOReportChannelGetChannelName": Signature(_REFERENCE, (_REFERENCE,)),
    "IOReportChannelGetUnitLabel": Signature(_REFERENCE, (_REFERENCE,)),
    "IOReportChannelGetFormat": Signature(c_int32, (_REFERENCE,)),
    "IOReportSimpleGetIntegerValue": Signature(c_int64, (_REFERENCE, c_int32)),
    "IOReportStateGetCount": Signature(c_int32, (_REFERENCE,)),
    "IOReportStateGetNameForIndex": Signature(_REFERENCE, (_REFERENCE, c_int32)),
    "IOReportStateGetResidency": Signature(c_int64, (_REFERENCE, c_int32)),
}

IO_KIT_FUNCTIONS = {
    "IOServiceMatching": Signature(_REFERENCE, (c_char_p,)),
    "IOServiceGetMatchingServices": Signature(c_int, (_PORT, _REFERENCE, _OUT_PORT)),
    "IOIteratorNext": Signature(_PORT, (_PORT,)),
    "IOObjectRelease": Signature(c_int, (_PORT,)),
    "IORegistryEntryGetName": Signature(c_int, (_PORT, c_char_p)),
    "IORegistryEntryCreateCFProperty": Signature(_REFERENCE, (_PORT, _REFERENCE, _REFERENCE, c_uint32)),
    "IOServiceOpen": Signature(c_int, (_PORT, _PORT, c_uint32, _OUT_PORT)),
    "IOServiceClose": Signature(c_int, (_PORT,)),
    "IOConnectCallStructMethod": Signature(c_int, (_PORT, c_uint32, c_void_p, c_size_t, c_void_p, POINTER(c_size_t))),
    "IOPSCopyPowerSourcesInfo": Signature(_REFERENCE),
    "IOPSGetProvidingPowerSourceType": Signature(_REFERENCE, (_REFERENCE,)),
}

IO_HID_FUNCTIONS = {
    "IOHIDEventSystemClientCreate": Signature(_REFERENCE, (_REFERENCE,)),
    "IOHIDEventSystemClientSetMatching": Signature(c_int, (_REFERENCE, _REFERENCE)),
    "IOHIDEventSystemClientCopyServices": Signature(_REFERENCE, (_REFERENCE,)),
    "IOHIDServiceClientCopyProperty": Signature(_REFERENCE, (_REFERENCE, _REFERENCE)),
    "IOHIDServiceClientCopyEvent": Signature(_REFERENCE, (_REFERENCE, c_int64, c_int32, c_int64)),
    "IOHIDEventGetFloatValue": Signature(c_double, (_REFERENCE, c_int32)),
}

SYSTEM_FUNCTIONS = {
    "sysctlbyname": Signature(c_int, (c_char_p, c_void_p, POINTER(c_size_t), c_void_p, c_size_t)),
    "notify_register_check": Signature(c_uint32, (c_char_p, POINTER(c_int))),
    "notify_get_state": Signature(c_uint32, (c_int, POINTER(c_uint64))),
    "notify_cancel": Signature(c_uint32, (c_int,)),
    "mach_absolute_time": Signature(c_uint64),
    "mach_timebase_info": Signature(c_int, (POINTER(TimebaseInfo),)),
}

METAL_FUNCTIONS = {"MTLCreateSystemDefaultDevice": Signature(c_void_p)}
# objc_msgSend is called as if it were the method: here, one without arguments that returns an unsigned integer.
OBJECTIVE_C_FUNCTIONS = {
    "sel_registerName": Signature(c_void_p, (c_char_p,)),
    "objc_msgSend": Signature(c_uint64, (c_void_p, c_void_p)),
}
