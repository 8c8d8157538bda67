"""A diagnosis for every family of sensors."""

from edgeprof_agent.sensors.diagnosis import apple, board, drm, host, jetson, memory_traffic, nvml
from edgeprof_agent.sensors.diagnosis.obstacle import FamilyDiagnosis

# In the order and by the names of the families in ``sensors.registry``.
DIAGNOSES = (
    FamilyDiagnosis("cpu", "CPU time", host.CPU, host.cpu),
    FamilyDiagnosis("memory", "Memory and swap", host.MEMORY, host.memory),
    FamilyDiagnosis("workload", "The workload's processes", host.WORKLOAD, host.workload),
    FamilyDiagnosis("cpu_frequency", "Clocks of the cores", host.CPU_FREQUENCY, host.cpu_frequency),
    FamilyDiagnosis("cpu_throttle", "Cores held back by heat", host.CPU_THROTTLE, host.cpu_throttle),
    FamilyDiagnosis("pressure", "Waiting for CPU, memory and disks", host.PRESSURE, host.pressure),
    FamilyDiagnosis("paging", "Page faults and swapping", host.PAGING, host.paging),
    FamilyDiagnosis("memory_traffic", "Memory traffic", memory_traffic.MEMORY_TRAFFIC, memory_traffic.memory_traffic),
    FamilyDiagnosis("disk", "Disks", host.DISK, host.disk),
    FamilyDiagnosis("network", "Networks", host.NETWORK, host.network),
    FamilyDiagnosis("rapl", "Energy of the processor (RAPL)", board.RAPL, board.rapl),
    FamilyDiagnosis("thermal_zone", "Thermal zones", board.THERMAL_ZONE, board.thermal_zone),
    FamilyDiagnosis("hwmon", "Monitoring chips (hwmon)", board.HWMON, board.hwmon),
    FamilyDiagnosis("jetson", "Jetson", jetson.JETSON, jetson.jetson),
    FamilyDiagnosis("nvml", "NVIDIA GPUs (NVML)", nvml.NVML, nvml.nvml, nvml.driver_problem),
    FamilyDiagnosis("amdgpu", "AMD GPUs", drm.AMDGPU, drm.amdgpu),
    FamilyDiagnosis("intel_gpu", "Intel GPUs", drm.INTEL_GPU, drm.intel_gpu),
    FamilyDiagnosis("apple", "Apple Silicon", apple.APPLE, apple.apple),
    FamilyDiagnosis("drm_workload", "The workload on AMD's and Intel's GPUs", drm.WORKLOAD, drm.workload),
)
