variable "project_id" {
  description = "The Google Cloud project that everything is made in."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "A project's id has 6 to 30 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "control" {
  description = "The control machine: its name, its region and zone. It runs Bacalhau's orchestrator and the harvest."
  type = object({
    name   = string
    region = string
    zone   = string
  })
  default = {
    name   = "gadwall-control"
    region = "us-east1"
    zone   = "us-east1-b"
  }

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", var.control.name))
    error_message = "A machine's name has 1 to 63 lower-case letters, digits and hyphens, begins with a letter and ends with a letter or digit."
  }
  validation {
    condition     = can(regex("^${var.control.region}-[a-z]$", var.control.zone))
    error_message = "The zone has to be one of the region: REGION-b, for example."
  }
}

variable "nodes" {
  description = "The machines with logs, by name. The name is the VM's, Bacalhau's and the one in the archive's object names."
  type = map(object({
    region = string
    zone   = string
  }))
  default = {
    us-east1-vm        = { region = "us-east1", zone = "us-east1-b" }
    europe-west4-vm    = { region = "europe-west4", zone = "europe-west4-a" }
    asia-northeast1-vm = { region = "asia-northeast1", zone = "asia-northeast1-a" }
  }

  validation {
    condition     = length(var.nodes) >= 1 && !contains(keys(var.nodes), var.control.name)
    error_message = "There has to be a node at least, and none may have the control machine's name."
  }
  validation {
    condition     = alltrue([for name in keys(var.nodes) : can(regex("^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", name))])
    error_message = "A node's name has 1 to 63 lower-case letters, digits and hyphens, begins with a letter and ends with a letter or digit."
  }
  validation {
    condition     = alltrue([for node in values(var.nodes) : can(regex("^${node.region}-[a-z]$", node.zone))])
    error_message = "A node's zone has to be one of its region: REGION-b, for example."
  }
}

variable "subnets" {
  description = "The private address range of each region that has a machine, so that a further region moves none of the others."
  type        = map(string)
  default = {
    us-east1        = "10.40.0.0/24"
    europe-west4    = "10.40.1.0/24"
    asia-northeast1 = "10.40.2.0/24"
  }

  validation {
    condition     = alltrue([for range in values(var.subnets) : can(cidrhost(range, 10)) && can(regex("^(10\\.|192\\.168\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.)", range))])
    error_message = "A subnet is a private IPv4 range with at least sixteen addresses, such as 10.40.0.0/24."
  }
  validation {
    condition     = alltrue([for region in concat([var.control.region], values(var.nodes)[*].region) : contains(keys(var.subnets), region)])
    error_message = "Each region of a machine needs a subnet."
  }
}

variable "bucket" {
  description = "The archive's bucket. Its name is one for all of Google Cloud; MYPROJECT-gadwall is a good one."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,50}[a-z0-9]$", var.bucket))
    error_message = "A bucket's name has 3 to 52 lower-case letters, digits and hyphens here: '-install' is put behind it for the second bucket."
  }
}

variable "location" {
  description = "Where the buckets and the registry are: a region, best the control machine's."
  type        = string
  default     = "us-east1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.location))
    error_message = "The location is a region, such as us-east1."
  }
}

variable "raw_storage_class" {
  description = "The storage class that raw files are written with."
  type        = string
  default     = "NEARLINE"

  validation {
    condition     = contains(["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"], var.raw_storage_class)
    error_message = "Google's classes are STANDARD, NEARLINE, COLDLINE and ARCHIVE."
  }
}

variable "raw_cold_after_days" {
  description = "After how many days a raw file is moved to COLDLINE."
  type        = number
  default     = 30

  validation {
    condition     = var.raw_cold_after_days >= 1 && floor(var.raw_cold_after_days) == var.raw_cold_after_days
    error_message = "This is a whole number of days, 1 at least."
  }
}

variable "raw_delete_after_days" {
  description = "After how many days a raw file is deleted. 0, the default: never. The table keeps its rows; 'gadwall raw get' has nothing to give any more."
  type        = number
  default     = 0

  validation {
    condition     = var.raw_delete_after_days == 0 || var.raw_delete_after_days >= var.raw_cold_after_days + 90
    error_message = "COLDLINE is paid for 90 days at least: this is 0, or raw_cold_after_days and 90 more."
  }
}

variable "destroy_archive" {
  description = "Whether 'terraform destroy' may delete the archive's bucket with what is in it. While it is false, a bucket that has objects stops it."
  type        = bool
  default     = false
}

variable "nat" {
  description = "Whether the private machines have a way out. They need it to install Debian's packages and Bacalhau; what they do each hour goes to Google's own services, and needs none."
  type        = bool
  default     = true
}

variable "node_machine_type" {
  description = "The nodes' machine type. A harvest takes 768 MiB of a node beside Docker and Bacalhau."
  type        = string
  default     = "e2-small"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*-[a-z0-9-]+$", var.node_machine_type)) && var.node_machine_type != "e2-micro"
    error_message = "This is a machine type, such as e2-small; e2-micro has too little memory."
  }
}

variable "control_machine_type" {
  description = "The control machine's machine type. It runs the orchestrator and, each hour, DuckDB with up to 512 MiB."
  type        = string
  default     = "e2-medium"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*-[a-z0-9-]+$", var.control_machine_type)) && var.control_machine_type != "e2-micro"
    error_message = "This is a machine type, such as e2-medium; e2-micro has too little memory."
  }
}

variable "disk_gb" {
  description = "The size of each machine's disk. A node keeps its logs there until they are proven to be archived."
  type        = number
  default     = 20

  validation {
    condition     = var.disk_gb >= 10 && floor(var.disk_gb) == var.disk_gb
    error_message = "This is a whole number of gigabytes, 10 at least."
  }
}

variable "boot_image" {
  description = "The machines' image. The install scripts know the names of Debian 12's packages."
  type        = string
  default     = "debian-cloud/debian-12"

  validation {
    condition     = strcontains(var.boot_image, "debian-12")
    error_message = "The install scripts and the published program are for Debian 12."
  }
}

variable "image_digest" {
  description = "The digest of the image that was pushed to the registry. Empty, the default: no machines yet, only what has to be there before them."
  type        = string
  default     = ""

  validation {
    condition     = var.image_digest == "" || can(regex("^sha256:[0-9a-f]{64}$", var.image_digest))
    error_message = "An image is named by its digest, sha256:… with 64 hexadecimal digits: a tag can be moved to another one."
  }
}

variable "gadwall_tarball" {
  description = "The name of the object in the install bucket with Gadwall's program: gadwall-VERSION-linux-x86_64.tar.gz."
  type        = string
  default     = "gadwall-0.1.0-linux-x86_64.tar.gz"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*\\.tar\\.gz$", var.gadwall_tarball))
    error_message = "This is the name of an object that ends with .tar.gz."
  }
}

variable "gadwall_sha256" {
  description = "The SHA-256 of that object. The machines install nothing that has another."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.gadwall_sha256))
    error_message = "A SHA-256 has 64 hexadecimal digits in lower case."
  }
}

variable "bacalhau_version" {
  description = "The version of Bacalhau, as its release on GitHub is called."
  type        = string
  default     = "v1.9.3"

  validation {
    condition     = can(regex("^v1\\.(9|[1-9][0-9])\\.[0-9]+$", var.bacalhau_version))
    error_message = "Gadwall needs Bacalhau 1.9 or a later 1.x: v1.9.3, for example."
  }
}

variable "bacalhau_sha256" {
  description = "The SHA-256 of that release's bacalhau_VERSION_linux_amd64.tar.gz."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.bacalhau_sha256))
    error_message = "A SHA-256 has 64 hexadecimal digits in lower case."
  }
}
